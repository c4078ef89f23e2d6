package admin

import (
	"fmt"
	"strings"
)

// exitMeanings are the lines of EXIT CODES in a command's help.
var exitMeanings = [...]string{
	exitDone:        "done",
	exitFailed:      "failed; the message says why",
	exitUsage:       "wrong usage, or a bad setting",
	exitNotFound:    "no such record",
	exitInvalid:     "the request is not valid",
	exitInUse:       "another process has the store open",
	exitUnreachable: "the server does not answer",
	exitDamaged:     "the store is damaged",
}

const appHelp = `exante - {{.Usage}}

USAGE
   {{.UsageText}}

COMMANDS{{range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{range .Subcommands}}
     {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}

Settings come from exante.toml, then EXANTE_<SECTION>_<KEY>, then flags of serve.
Every other command works the same whether a server runs or not.
`

const groupHelp = `{{.HelpName}} - {{.Usage}}

COMMANDS{{range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}

Each has a help of its own: {{.HelpName}} COMMAND --help
`

// commandHelp is the help template of one command.
func commandHelp(sp spec) string {
	var b strings.Builder
	b.WriteString("{{.HelpName}} - {{.Usage}}\n\nUSAGE\n   {{.HelpName}} [flags]{{.ArgsUsage}}\n")
	if sp.about != "" {
		b.WriteString("\n" + sp.about + "\n")
	}
	b.WriteString("\nFLAGS{{range .VisibleFlags}}\n   {{.}}{{end}}\n\nEXAMPLES\n")
	for line := range strings.Lines(sp.examples) {
		b.WriteString("   " + line)
	}
	b.WriteString("\n\nEXIT CODES\n")
	for _, code := range append([]int{exitDone, exitFailed, exitUsage}, sp.codes...) {
		fmt.Fprintf(&b, "   %d  %s\n", code, exitMeanings[code])
	}
	return b.String()
}

// storeCodes are the exit codes of every command that uses the store.
var storeCodes = []int{exitInUse, exitUnreachable, exitDamaged}
