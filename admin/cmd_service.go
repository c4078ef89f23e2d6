package admin

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"exante/admin/config"
	"exante/admin/systemd"
)

// serviceShape is what `service print --json` prints.
type serviceShape struct {
	Unit   string `json:"unit"`
	Config string `json:"config"`
}

func (s *shell) servicePrint() *cli.Command {
	return s.command(spec{
		name: "print", usage: "print a systemd unit that runs the server, hardened",
		about: "Nothing is installed: the first lines of the unit say how. The data directory\n" +
			"needs one above it that is the service's own: the audit copy and backups go there.",
		bare: true,
		flags: []cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "run as `USER`", Value: "exante"},
			&cli.StringFlag{Name: "binary", Usage: "start the program at `PATH`", Value: "/usr/local/bin/exante"},
			&cli.StringFlag{Name: "config", Usage: "with the configuration at `PATH`", Value: "/etc/exante/exante.toml"},
			&cli.StringFlag{Name: "data-dir", Usage: "on the data directory `DIR`", Value: "/var/lib/exante/data"},
			&cli.StringFlag{Name: "part", Usage: "print `unit|config|all`", Value: "unit"},
		},
		examples: "exante service print > exante.service\n" +
			"exante service print --part config --data-dir /srv/exante/data > exante.toml",
		run: func(_ context.Context, c *cli.Context) error {
			return s.runServicePrint(systemd.Installation{
				User: c.String("user"), Binary: c.String("binary"), Config: c.String("config"), DataDir: c.String("data-dir"),
			}, c.String("part"))
		},
	})
}

func (s *shell) runServicePrint(in systemd.Installation, part string) error {
	unit, err := in.Unit()
	if err != nil {
		return usagef("", "%v", err)
	}
	shape := serviceShape{unit, installedConfig(in.DataDir)}
	if s.json {
		return s.printJSON(shape)
	}
	text := map[string]string{
		"unit": shape.Unit, "config": shape.Config,
		"all": "### /etc/systemd/system/exante.service\n" + shape.Unit + "\n### " + in.Config + "\n" + shape.Config,
	}[part]
	if text == "" {
		return usagef("", "flag --part: %q is none of unit, config, all", part)
	}
	_, err = io.WriteString(s.stdout, text)
	return err
}

// installedConfig is a configuration file for an installed server: what differs
// from the defaults, and what most will want to change.
func installedConfig(dataDir string) string {
	c := config.Defaults()
	c.Storage.Dir, c.Backup.Dir = dataDir, filepath.Join(filepath.Dir(dataDir), "backups")
	c.Backup.Every, c.Backup.Keep = 24*time.Hour, 7
	literal := map[string]string{}
	for _, row := range config.Settings() {
		literal[row.Key()] = row.Literal(&c)
	}
	return fmt.Sprintf(`# Settings of an installed exante. What is not here has its default:
# exante config show prints all of them.

[server]
listen = "127.0.0.1:8080"
# Behind a proxy with TLS on this host, give its address and yours:
# trusted_proxies = ["127.0.0.1", "::1"]
# public_url = "https://billing.example.com"
# max_conns_per_ip = 0

[storage]
dir = %s

# The first is made at once, and each is proven. Keep copies on another machine too.
[backup]
dir = %s
every = %s
keep = %s
`, literal["storage.dir"], literal["backup.dir"], literal["backup.every"], literal["backup.keep"])
}
