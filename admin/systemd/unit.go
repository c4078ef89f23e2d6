package systemd

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// Installation is where things lie on a host, by absolute paths.
type Installation struct {
	User    string // whom the server runs as; his group has the same name
	Binary  string
	Config  string
	DataDir string // the audit copy and backups lie beside it
}

// unit is the service. What it forbids is what the server never does: the tests of
// the program hold its system calls, sockets and memory maps against these lines.
const unit = `# exante.service, as written by: exante service print
# To install this file and what it needs, as root:
#   useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %[1]s
%[6]s#   install -d -m 0750 -g %[1]s %[5]s
#   exante service print --part config --data-dir %[7]s > %[3]s
#   chgrp %[1]s %[3]s && chmod 0640 %[3]s
#   install -m 0644 exante.service /etc/systemd/system/exante.service
#   systemctl daemon-reload && systemctl enable --now exante

[Unit]
Description=exante, invoices behind API keys
Wants=network-online.target
After=network-online.target
# After five failures in five minutes a person has to look.
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
# The server says when it answers and when it begins to stop.
Type=notify
NotifyAccess=main
User=%[1]s
Group=%[1]s
ExecStartPre=%[2]s config check --config %[3]s
ExecStart=%[2]s serve --config %[3]s
Restart=on-failure
RestartSec=2
# 2 is a bad setting and 7 a damaged store: neither gets better by trying again.
RestartPreventExitStatus=2 7
# Every table is checked at start. A stop drains requests, and ends itself after 45 s.
TimeoutStartSec=15min
TimeoutStopSec=60
KillMode=mixed

# What may be used.
LimitNOFILE=65536
LimitCORE=0
MemoryMax=2G
TasksMax=512

# What may be written: nothing but the data directory and what lies beside it.
UMask=0077
%[4]s
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed

# What may be seen.
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes

# What may be done. A port below 1024 is for the proxy in front: the server has no
# capability. Go makes no code at run time, and no file is mapped to be executed.
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# The proof of a backup gives way to requests.
SystemCallFilter=setpriority
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`

// Unit is the service of the installation, or why it can't be one.
func (i Installation) Unit() (string, error) {
	if !userName.MatchString(i.User) {
		return "", fmt.Errorf("user %q is not a name of lower-case letters, digits, - and _", i.User)
	}
	for what, path := range map[string]string{"binary": i.Binary, "configuration": i.Config, "data directory": i.DataDir} {
		if err := usable(what, path); err != nil {
			return "", err
		}
	}
	writable, err := i.writable()
	if err != nil {
		return "", err
	}
	made := "" // what systemd does not make
	if home, ok := strings.CutPrefix(writable, "ReadWritePaths="); ok {
		made = fmt.Sprintf("#   install -d -m 0700 -o %[1]s -g %[1]s %[2]s %[2]s/backups\n", i.User, home)
	}
	return fmt.Sprintf(unit, i.User, i.Binary, i.Config, writable, filepath.Dir(i.Config), made, i.DataDir), nil
}

// writable are the lines that open the directory above the data directory, which
// must be the service's own. Below /var/lib systemd makes it.
func (i Installation) writable() (string, error) {
	home := filepath.Dir(i.DataDir)
	if state, ok := strings.CutPrefix(home, "/var/lib/"); ok {
		return "StateDirectory=" + state + " " + state + "/backups\nStateDirectoryMode=0700", nil
	}
	if strings.Count(home, "/") < 2 || home == "/var/lib" {
		return "", fmt.Errorf("data directory %s: the directory above it must belong to the service alone, as in /srv/exante/data", i.DataDir)
	}
	return "ReadWritePaths=" + home, nil
}

var (
	userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)
	plain    = regexp.MustCompile(`^/[0-9A-Za-z._/@:+-]*$`) // nothing that systemd or a shell reads as more than itself
)

// usable refuses paths that the service would not see, or see as something else.
func usable(what, path string) error {
	if !plain.MatchString(path) || filepath.Clean(path) != path || path == "/" {
		return fmt.Errorf("%s %q is not an absolute path of letters, digits and . _ / @ : + -", what, path)
	}
	for _, hidden := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev", "/proc", "/sys"} {
		if path == hidden || strings.HasPrefix(path, hidden+"/") {
			return fmt.Errorf("%s %s: the service sees nothing below %s", what, path, hidden)
		}
	}
	return nil
}
