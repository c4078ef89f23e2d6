package admin

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// screenWidth is how many columns all that people read keeps within.
const screenWidth = 80

// exitMeanings are the lines of EXIT CODES in a command's help.
var exitMeanings = [...]string{
	exitDone:        "done",
	exitFailed:      "failed; the message says why",
	exitUsage:       "wrong usage, or a bad setting",
	exitNotFound:    "no such record",
	exitInvalid:     "the request is not valid",
	exitInUse:       "another process has the store open",
	exitUnreachable: "the server does not answer",
	exitDamaged:     "the store is damaged, or the disk too full to open it",
}

const appHelp = `exante - {{.Usage}}

USAGE
   {{.UsageText}}

COMMANDS{{range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{range .Subcommands}}
     {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}

Settings come from exante.toml, then EXANTE_<SECTION>_<KEY>, then flags of
serve. Every other command works the same whether a server runs or not, unless
its help says that the server must be stopped.

Data goes to standard output, everything else to standard error. With --json
both are for programs: the last line of standard error is then, after a failure,
one object {"error", "code", "exit", "hint"}. code never changes its meaning.
Colours are for terminals, and none if NO_COLOR is set.
`

const groupHelp = `{{.HelpName}} - {{.Usage}}

COMMANDS{{range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}

Each has a help of its own: {{.HelpName}} COMMAND --help
`

// commandHelp is the help template of one command.
func commandHelp(sp spec, flags []cli.Flag) string {
	var b strings.Builder
	if sp.about != "" {
		b.WriteString("\n" + flow(sp.about) + "\n")
	}
	b.WriteString("\nFLAGS\n" + flagHelp(flags) + "\nEXAMPLES\n")
	for line := range strings.Lines(sp.examples) {
		b.WriteString(example(strings.TrimSuffix(line, "\n")))
	}
	b.WriteString("\nEXIT CODES\n")
	for _, code := range append([]int{exitDone, exitFailed, exitUsage}, sp.codes...) {
		fmt.Fprintf(&b, "   %d  %s\n", code, exitMeanings[code])
	}
	return "{{.HelpName}} - {{.Usage}}\n\nUSAGE\n   {{.HelpName}} [flags]{{.ArgsUsage}}\n" +
		strings.ReplaceAll(b.String(), "{{", `{{"{{"}}`)
}

// storeCodes are the exit codes of every command that uses the store.
var storeCodes = []int{exitInUse, exitUnreachable, exitDamaged}

// flow fills lines with the words of each paragraph. Lines that begin with a blank
// stay as they are.
func flow(text string) string {
	var out, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			out = append(out, fill(strings.Join(paragraph, " "), "", screenWidth)...)
			paragraph = nil
		}
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		end()
		out = append(out, line)
	}
	end()
	return strings.Join(out, "\n")
}

// fill breaks text into lines of at most wide characters, each after indent.
func fill(text, indent string, wide int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(indent+line+" "+word) > wide {
			lines, line = append(lines, indent+line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, indent+line)
}

// example is one line of EXAMPLES, continued before a flag where it is too long.
func example(line string) string {
	const indent, more = "   ", "      "
	out := indent
	for i, part := range strings.SplitAfter(line, " --") {
		if i > 0 {
			part = "--" + part
		}
		part = strings.TrimSuffix(part, "--")
		last := out[strings.LastIndexByte(out, '\n')+1:]
		if i > 0 && utf8.RuneCountInString(last+strings.TrimSpace(part)) > screenWidth-2 {
			out = strings.TrimRight(out, " ") + " \\\n" + more
		}
		out += part
	}
	return strings.TrimRight(out, " ") + "\n"
}

// flagHelp explains flags: name and value to the left, what they mean to the right.
func flagHelp(flags []cli.Flag) string {
	const most = 24 // what is longer has a line to itself
	type row struct{ head, text string }
	var rows []row
	wide := 0
	for _, f := range flags {
		head, text := describe(f)
		rows = append(rows, row{head, text})
		if n := len(head); n <= most {
			wide = max(wide, n)
		}
	}
	rows = append(rows, row{"--help, -h", "show this help"})
	var b strings.Builder
	indent := strings.Repeat(" ", 3+max(wide, len("--help, -h"))+2)
	for _, r := range rows {
		lines := fill(r.text, indent, screenWidth)
		if len(r.head) <= len(indent)-5 {
			lines[0] = fmt.Sprintf("   %-*s%s", len(indent)-3, r.head, lines[0][len(indent):])
		} else {
			lines = append([]string{"   " + r.head}, lines...)
		}
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

// describe is a flag as FLAGS shows it: "--name NAME" and what it means. The value
// is named by the word in backquotes.
func describe(f cli.Flag) (head, text string) {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return "--" + f.Names()[0], ""
	}
	value, text := valueName(doc.GetUsage())
	for i, name := range f.Names() {
		if i > 0 {
			head += ", "
		}
		head += "--" + name
		if doc.TakesValue() {
			head += " " + value
		}
	}
	if standard := strings.Trim(doc.GetDefaultText(), `"`); standard != "" && doc.TakesValue() {
		text += " (default: " + standard + ")"
	}
	return head, text
}

// valueName is the word in backquotes of a flag's usage, and the usage without them.
func valueName(usage string) (name, text string) {
	before, rest, ok := strings.Cut(usage, "`")
	name, after, ok2 := strings.Cut(rest, "`")
	if !ok || !ok2 {
		return "VALUE", usage
	}
	return name, before + name + after
}
