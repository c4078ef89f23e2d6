package admin

import (
	"context"

	"github.com/urfave/cli/v2"

	"exante/admin/config"
)

// settingShape is one row of `config show`.
type settingShape struct {
	Setting  string `json:"setting"`
	Value    string `json:"value"`
	Source   string `json:"source"` // default, FILE:LINE, a variable or a flag
	Default  string `json:"default"`
	Variable string `json:"variable"`
	About    string `json:"about"`
}

func (s *shell) configShow() *cli.Command {
	return s.command(spec{
		name: "show", usage: "print every setting with where its value comes from",
		about:    "A value is never cut. None is a secret: secrets stand in files, and a setting\nhas the path.",
		examples: "EXANTE_LOG_LEVEL=debug exante config show\nexante config show --json | jq -r '.[].variable'",
		run:      func(context.Context, *cli.Context) error { return s.runConfigShow() },
	})
}

func (s *shell) runConfigShow() error {
	var shapes []settingShape
	rows := [][]string{}
	for _, row := range config.Settings() {
		shape := settingShape{
			Setting: row.Key(), Value: row.Text(&s.config.Config), Source: s.config.Source(row.Key()),
			Default: row.Default(), Variable: row.Variable(), About: row.About(),
		}
		shapes = append(shapes, shape)
		rows = append(rows, []string{shape.Setting, shape.Source, row.Literal(&s.config.Config)})
	}
	if s.json {
		return s.printJSON(shapes)
	}
	return table(s.stdout, []column{{"SETTING", 24}, {"SOURCE", 30}, {"VALUE", uncut}}, rows)
}

func (s *shell) configCheck() *cli.Command {
	return s.command(spec{
		name: "check", usage: "check the configuration file and the environment",
		about:    "Every mistake is named with its place. Exit code 2 says that there is one.",
		examples: "exante config check --config /etc/exante.toml",
		run:      func(context.Context, *cli.Context) error { return s.runConfigCheck() },
	})
}

// runConfigCheck only reports: a configuration with a mistake does not get here.
func (s *shell) runConfigCheck() error {
	if s.json {
		return s.printJSON(struct {
			OK   bool    `json:"ok"`
			File *string `json:"file"`
		}{true, orNull(s.config.File)})
	}
	if s.config.File == "" {
		s.tell("the configuration is good (no file was read)")
	} else {
		s.tell("the configuration is good (%s)", s.config.File)
	}
	return nil
}
