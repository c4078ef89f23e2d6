package admin

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"exante/admin/suggest"
)

// arrange puts a command line into the order that the CLI library understands:
// command, flags, "--", arguments. The library by itself takes every flag after
// the first argument for an argument. It also refuses, with a suggestion, what
// it does not know, so that the library never has to.
func arrange(app *cli.App, args []string) ([]string, error) {
	words, flags, err := sortOut(app, args[1:])
	if err != nil {
		return nil, err
	}
	if len(words) > 0 && words[0] == "help" {
		words, flags = words[1:], []flag{{name: "help"}}
	}
	if len(words) == 0 && len(flags) == 1 && flags[0].name == "version" {
		words, flags = []string{"version"}, nil
	}
	wantsHelp := slices.ContainsFunc(flags, func(f flag) bool { return f.name == "help" })
	if wantsHelp { // and nothing else, whatever stands beside it
		flags = []flag{{name: "help"}}
	}
	path, leaf, words, err := findCommand(app, words, flags)
	if err != nil {
		return nil, err
	}
	if wantsHelp {
		return append(append([]string{args[0]}, path...), "--help", "--"), nil
	}
	out := append([]string{args[0]}, path...)
	seen := map[string]bool{}
	for _, f := range flags {
		if !slices.Contains(flagNames(leaf), f.name) {
			return nil, usagef(helpHint(path), "unknown flag --%s%s", f.name, didYouMean("--", f.name, flagNames(leaf)))
		}
		if seen[f.name] && !repeatable(leaf, f.name) {
			return nil, usagef(helpHint(path), "flag --%s is given twice", f.name)
		}
		seen[f.name] = true
		out = append(out, f.words()...)
	}
	return append(append(out, "--"), words...), nil
}

// flag is one flag of a command line.
type flag struct {
	name  string
	value *string // nil: a switch
}

func (f flag) words() []string {
	if f.value == nil {
		return []string{"--" + f.name}
	}
	return []string{"--" + f.name + "=" + *f.value}
}

// sortOut separates flags from words. Which flags take a value is the same for
// every command, so the command need not be known yet.
func sortOut(app *cli.App, args []string) (words []string, flags []flag, err error) {
	valued := valuedFlags(app)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(words, args[i+1:]...), flags, nil
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "h" {
			name = "help"
		}
		f := flag{name: name}
		if hasValue {
			f.value = &value
		} else if valued[name] {
			if i++; i == len(args) && slices.ContainsFunc(flags, func(f flag) bool { return f.name == "help" }) {
				break
			} else if i == len(args) {
				return nil, nil, usagef("", "flag --%s needs a value", name)
			}
			f.value = &args[i]
		}
		flags = append(flags, f)
	}
	return words, flags, nil
}

// valuedFlags are the flags of all commands that take a value.
func valuedFlags(app *cli.App) map[string]bool {
	valued := map[string]bool{}
	var walk func([]*cli.Command)
	walk = func(commands []*cli.Command) {
		for _, c := range commands {
			for _, f := range c.Flags {
				if _, isSwitch := f.(*cli.BoolFlag); !isSwitch {
					for _, name := range f.Names() {
						valued[name] = true
					}
				}
			}
			walk(c.Subcommands)
		}
	}
	walk(app.Commands)
	return valued
}

// findCommand follows words down to a command; what is left are its arguments.
// leaf is nil for the program itself, which has only --help.
func findCommand(app *cli.App, words []string, flags []flag) (path []string, leaf *cli.Command, rest []string, err error) {
	commands := app.Commands
	for len(commands) > 0 {
		if len(words) == 0 {
			if len(flags) == 1 && flags[0].name == "help" {
				return path, leaf, nil, nil
			}
			return nil, nil, nil, usagef(helpHint(path), "a command is missing%s", oneOfThem(commands))
		}
		var next *cli.Command
		var names []string
		for _, c := range commands {
			names = append(names, c.Name)
			if c.Name == words[0] {
				next = c
			}
		}
		if next == nil {
			return nil, nil, nil, usagef(helpHint(path), "unknown command %q%s",
				strings.Join(append(path, words[0]), " "), didYouMean("", words[0], names))
		}
		path, leaf, words, commands = append(path, next.Name), next, words[1:], next.Subcommands
	}
	return path, leaf, words, nil
}

// repeatable reports a flag that takes one more value each time it is given.
func repeatable(c *cli.Command, name string) bool {
	return slices.ContainsFunc(c.Flags, func(f cli.Flag) bool {
		_, many := f.(*cli.StringSliceFlag)
		return many && slices.Contains(f.Names(), name)
	})
}

func oneOfThem(commands []*cli.Command) string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.Name
	}
	return ": one of " + strings.Join(names, ", ")
}

func helpHint(path []string) string {
	return "see: " + strings.Join(append([]string{"exante"}, path...), " ") + " --help"
}

func didYouMean(prefix, word string, known []string) string {
	if near := suggest.Nearest(word, known); near != "" {
		return ": did you mean " + prefix + near + "?"
	}
	return ""
}

func flagNames(c *cli.Command) []string {
	if c == nil {
		return nil
	}
	var names []string
	for _, f := range c.Flags {
		names = append(names, f.Names()...)
	}
	return names
}
