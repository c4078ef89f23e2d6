package systemd_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exante/admin/systemd"
)

func standard() systemd.Installation {
	return systemd.Installation{
		User: "exante", Binary: "/usr/local/bin/exante", Config: "/etc/exante/exante.toml", DataDir: "/var/lib/exante/data",
	}
}

func unit(t *testing.T, i systemd.Installation) string {
	t.Helper()
	text, err := i.Unit()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// analyze asks systemd-analyze about a unit that starts /bin/true instead of us.
func analyze(t *testing.T, text string, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skipf("systemd-analyze is not here: %v", err)
	}
	file := filepath.Join(t.TempDir(), "exante.service")
	text = strings.ReplaceAll(text, "=/usr/local/bin/exante ", "=/bin/true ")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, append(args, file)...).CombinedOutput()
	if args[0] == "verify" && len(out) > 0 || err != nil {
		t.Errorf("systemd-analyze %v: %v\n%s", args, err, out)
	}
}

func TestUnitIsAcceptedBySystemd(t *testing.T) {
	analyze(t, unit(t, standard()), "verify")
	elsewhere := standard()
	elsewhere.DataDir, elsewhere.User = "/srv/billing/data", "billing_2"
	analyze(t, unit(t, elsewhere), "verify")
}

// An exposure of 1.5 or less is "OK"; without the sandbox it is 9.6.
func TestUnitExposesLittle(t *testing.T) {
	analyze(t, unit(t, standard()), "security", "--offline=true", "--no-pager", "--threshold=15")
}

func TestUnitOpensTheDirectoryAboveTheData(t *testing.T) {
	for dir, want := range map[string]string{
		"/var/lib/exante/data":       "\nStateDirectory=exante exante/backups\nStateDirectoryMode=0700\n",
		"/var/lib/billing/one/data":  "\nStateDirectory=billing/one billing/one/backups\n",
		"/srv/exante/data":           "\nReadWritePaths=/srv/exante\n",
		"/mnt/disk@2/exante_1/d.ata": "\nReadWritePaths=/mnt/disk@2/exante_1\n",
	} {
		i := standard()
		i.DataDir = dir
		text := unit(t, i)
		if !strings.Contains(text, want) {
			t.Errorf("the unit for %s lacks %q", dir, want)
		}
		if makes := strings.Contains(text, "install -d -m 0700 -o exante -g exante "+filepath.Dir(dir)+" "+filepath.Dir(dir)+"/backups\n"); makes != strings.Contains(want, "ReadWrite") {
			t.Errorf("how to install %s: its directory is made by hand: %v", dir, makes)
		}
	}
}

func TestInstallationThatCanNotWorkIsRefused(t *testing.T) {
	for want, change := range map[string]func(*systemd.Installation){
		`user "Root!" is not a name`:                      func(i *systemd.Installation) { i.User = "Root!" },
		`user "" is not a name`:                           func(i *systemd.Installation) { i.User = "" },
		"the service sees nothing below /home":            func(i *systemd.Installation) { i.Binary = "/home/me/exante" },
		"the service sees nothing below /tmp":             func(i *systemd.Installation) { i.DataDir = "/tmp/x/data" },
		"the service sees nothing below /root":            func(i *systemd.Installation) { i.Config = "/root/exante.toml" },
		`binary "exante" is not an absolute path`:         func(i *systemd.Installation) { i.Binary = "exante" },
		`data directory "/srv/%h/x" is not`:               func(i *systemd.Installation) { i.DataDir = "/srv/%h/x" },
		"configuration \"/etc/a b\" is not":               func(i *systemd.Installation) { i.Config = "/etc/a b" },
		"configuration \"/etc/a\\nUser=root\" is not":     func(i *systemd.Installation) { i.Config = "/etc/a\nUser=root" },
		`data directory "/srv/../x" is not`:               func(i *systemd.Installation) { i.DataDir = "/srv/../x" },
		"the directory above it must belong":              func(i *systemd.Installation) { i.DataDir = "/data" },
		"/var/lib/exante: the directory above it must be": func(i *systemd.Installation) { i.DataDir = "/var/lib/exante" },
		"/srv/data: the directory above it":               func(i *systemd.Installation) { i.DataDir = "/srv/data" },
	} {
		i := standard()
		change(&i)
		if text, err := i.Unit(); err == nil || !strings.Contains(err.Error(), want) || text != "" {
			t.Errorf("%+v: %v, want %q", i, err, want)
		}
	}
}

func TestNotifyReachesTheServiceManager(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "n"), "@exante-test-" + filepath.Base(t.TempDir())} {
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer manager.Close()
		if err := systemd.Notify([]string{"A=b", "NOTIFY_SOCKET=" + name}, systemd.Ready); err != nil {
			t.Fatal(err)
		}
		if err := manager.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, 64)
		n, err := manager.Read(heard)
		if err != nil || string(heard[:n]) != "READY=1" {
			t.Errorf("%s heard %q, %v", name, heard[:n], err)
		}
	}
	if err := systemd.Notify([]string{"NOTIFY_SOCKET="}, systemd.Ready); err != nil {
		t.Errorf("without a service manager: %v", err)
	}
	if err := systemd.Notify([]string{"NOTIFY_SOCKET=/nowhere/at/all"}, systemd.Ready); err == nil {
		t.Error("nobody heard it, and no error")
	}
}
