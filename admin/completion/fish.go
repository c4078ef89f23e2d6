package completion

import (
	"fmt"
	"strings"
)

// Fish is the script for fish.
func Fish(root Command) string {
	var b strings.Builder
	b.WriteString("# fish completion for exante, as written by: exante completion fish\n" +
		"# put it at ~/.config/fish/completions/exante.fish\n\n" + fishPath(root) + "\ncomplete -c exante -f\n")
	root.walk("", func(path string, c Command) {
		at := "-n " + fishQuoted("test (__exante_path) = "+fishQuoted("/"+path))
		for _, sub := range c.Commands {
			fmt.Fprintf(&b, "complete -c exante %s -a %s -d %s\n", at, sub.Name, fishQuoted(sub.About))
		}
		if kind := c.Args.kind(); kind != "" {
			fmt.Fprintf(&b, "complete -c exante %s%s\n", at, fishValue(c.Args, false))
		}
		for _, f := range c.Flags {
			for _, name := range f.Names {
				fmt.Fprintf(&b, "complete -c exante %s -l %s", at, name)
				if !f.Switch {
					b.WriteString(fishValue(f.Value, true))
				}
				fmt.Fprintf(&b, " -d %s\n", fishQuoted(f.About))
			}
		}
		fmt.Fprintf(&b, "complete -c exante %s -l help -s h -d 'show this help'\n", at)
	})
	return b.String()
}

// fishValue is how a value completes; needed says that a flag waits for it.
func fishValue(v Value, needed bool) string {
	option := " -"
	if needed {
		option = " -r -"
	}
	switch v.kind() {
	case "files":
		return option + "F"
	case "dirs":
		return option + "fa '(__fish_complete_directories)'"
	case "list":
		return option + "fa '(__fish_append , " + strings.Join(v.Words, " ") + ")'"
	case "words":
		return option + "fa " + fishQuoted(strings.Join(v.Words, " "))
	}
	return option + "f"
}

// fishPath is the function that prints the path that was typed, after a slash: what
// prints nothing is no word to fish.
func fishPath(root Command) string {
	var paths, valued []string
	seen := map[string]bool{}
	root.walk("", func(path string, c Command) {
		if path != "" {
			paths = append(paths, fishQuoted(path))
		}
		for _, f := range c.Flags {
			for _, name := range f.Names {
				if !f.Switch && !seen[name] {
					seen[name] = true
					valued = append(valued, "--"+name)
				}
			}
		}
	})
	return `function __exante_path
    set -l path
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
        else if contains -- $word ` + strings.Join(valued, " ") + `
            set skip 1
        else if not string match -q -- '-*' $word
            set -l next (string trim -- "$path $word")
            contains -- $next ` + strings.Join(paths, " ") + `
            and set path $next
        end
    end
    echo "/$path"
end
`
}

// fishQuoted is s as one word of fish.
func fishQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
