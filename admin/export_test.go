package admin

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// Report gives tests the words and the exit code of an error.
func Report(w io.Writer, err error) int { return report(w, err) }

// CommandLines gives tests every command there is, groups and the program itself
// ("") among them, in the order of the help.
func CommandLines() []string {
	lines := []string{""}
	var walk func(before []string, commands []*cli.Command)
	walk = func(before []string, commands []*cli.Command) {
		for _, c := range commands {
			at := append(before[:len(before):len(before)], c.Name)
			lines = append(lines, strings.Join(at, " "))
			walk(at, c.Subcommands)
		}
	}
	walk(nil, (&shell{}).app().Commands)
	return lines
}

// Secret is a text as it comes from an operator.
func Secret(text string) secret { return secret{text} }
