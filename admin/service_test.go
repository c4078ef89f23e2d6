package admin_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"exante/admin/config"
)

func TestServicePrintsAnInstallation(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("exante.toml", []byte("nonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err) // it is not this file that the installation will have
	}
	text := must(t, "service", "print", "--part", "config", "--data-dir", "/srv/exante/data")
	file := filepath.Join(t.TempDir(), "exante.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := config.Load(config.Sources{File: file})
	if err != nil || e.Storage.Dir != "/srv/exante/data" || e.Backup.Dir != "/srv/exante/backups" || e.Backup.Every != 24*time.Hour || e.Backup.Keep != 7 {
		t.Errorf("the configuration reads as %+v, %v", e, err)
	}
	// What it shows as a comment has to be right as well.
	shown := strings.NewReplacer("# trusted", "trusted", "# public", "public", "# max", "max").Replace(text)
	if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := config.Load(config.Sources{File: file}); err != nil || len(e.Server.TrustedProxies) != 2 || e.Server.PublicURL == "" {
		t.Errorf("the examples read as %+v, %v", e, err)
	}
	type shape struct{ Unit, Config string }
	both := decode[shape](t, must(t, "service", "print", "--json", "--data-dir", "/srv/exante/data"))
	if both.Config != text || both.Unit != must(t, "service", "print", "--data-dir", "/srv/exante/data") {
		t.Error("--json says something else")
	}
	if all := must(t, "service", "print", "--part", "all"); !strings.Contains(all, "[Service]") || !strings.Contains(all, "[storage]") {
		t.Errorf("--part all = %s", all)
	}
	fails(t, 2, `flag --part: "both" is none of unit, config, all`, "service", "print", "--part", "both")
	fails(t, 2, "the service sees nothing below /tmp", "service", "print", "--data-dir", "/tmp/a/b")
}

// systemd hears READY when requests are answered, and STOPPING when no more are taken.
func TestServeTellsSystemdItsState(t *testing.T) {
	name := filepath.Join(openDir(t), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	hear := func(want string) {
		t.Helper()
		text := make([]byte, 64)
		if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n, err := manager.Read(text); err != nil || string(text[:n]) != want {
			t.Errorf("heard %q, %v, want %q", text[:n], err, want)
		}
	}
	cmd := program("serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir(t))
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+name)
	c := start(t, cmd, "listening on")
	hear("READY=1")
	if code := c.signal(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d:\n%s", code, c.output.String())
	}
	hear("STOPPING=1")
}
