package admin

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

// versionShape is what `version` prints.
type versionShape struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Badger   string `json:"badger"`
	Fiber    string `json:"fiber"`
	Fasthttp string `json:"fasthttp"`
}

func (s *shell) versionCommand() *cli.Command {
	return s.command(spec{
		name: "version", usage: "print what this program was built from",
		examples: "exante version --json", bare: true,
		run: func(context.Context, *cli.Context) error { return s.runVersion() },
	})
}

func (s *shell) runVersion() error {
	v := buildVersion()
	if s.json {
		return s.printJSON(v)
	}
	return fields(s.stdout, [][2]string{
		{"exante", v.Version}, {"commit", v.Commit}, {"go", v.Go},
		{"badger", v.Badger}, {"fiber", v.Fiber}, {"fasthttp", v.Fasthttp},
	})
}

// buildVersion reads what the linker recorded; "unknown" where it did not.
func buildVersion() versionShape {
	const unknown = "unknown"
	v := versionShape{unknown, unknown, runtime.Version(), unknown, unknown, unknown}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" {
		v.Version = strings.Trim(m, "()")
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v.Commit += "+changes"
		}
	}
	for _, d := range info.Deps {
		switch d.Path {
		case "github.com/dgraph-io/badger/v4":
			v.Badger = d.Version
		case "github.com/gofiber/fiber/v2":
			v.Fiber = d.Version
		case "github.com/valyala/fasthttp":
			v.Fasthttp = d.Version
		}
	}
	return v
}
