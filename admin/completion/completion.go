// Package completion writes what makes a shell complete a command line: a script
// for bash, zsh or fish that knows a tree of commands by heart. The script asks
// nothing of the program or of a store while somebody types.
//
// bash and zsh share their tables: functions of the path that was typed, written
// with what both understand. A new shell gets a file of its own.
package completion

import (
	"fmt"
	"slices"
	"strings"
)

// Command is a program or one of its commands.
type Command struct {
	Name, About string
	Commands    []Command
	Flags       []Flag
	Args        Value // of its arguments
}

// Flag is one flag. Names are without dashes.
type Flag struct {
	Names  []string
	About  string
	Switch bool // takes no value
	Value  Value
}

// Value is what may stand somewhere. The zero value is anything, of which nothing
// is known.
type Value struct {
	Words []string
	List  bool // Words may be joined by commas
	Files bool
	Dirs  bool
}

// kind is how the scripts call v, "" for anything.
func (v Value) kind() string {
	switch {
	case v.Files:
		return "files"
	case v.Dirs:
		return "dirs"
	case v.List:
		return "list"
	case len(v.Words) > 0:
		return "words"
	}
	return ""
}

// walk visits c and all below it. path is the words that lead to a command, without
// the program's name.
func (c Command) walk(path string, visit func(path string, c Command)) {
	visit(path, c)
	for _, sub := range c.Commands {
		sub.walk(strings.TrimPrefix(path+" "+sub.Name, " "), visit)
	}
}

func (c Command) names() []string {
	names := make([]string, len(c.Commands))
	for i, sub := range c.Commands {
		names[i] = sub.Name
	}
	return names
}

// flagWords are the flags of c as they are typed.
func (c Command) flagWords() []string {
	var words []string
	for _, f := range c.Flags {
		for _, name := range f.Names {
			words = append(words, "--"+name)
		}
	}
	return append(words, "--help")
}

// tables are the functions that bash and zsh share. Each sets reply:
//
//	_exante_words PATH          what may follow PATH, commands or flags
//	_exante_value PATH FLAG     kind and words of a flag's value; FLAG "" is an argument
//
// and _exante_valued has every flag that takes a value.
func tables(root Command) string {
	var words, values strings.Builder
	var valued []string
	root.walk("", func(path string, c Command) {
		next := c.names()
		if len(next) == 0 {
			next = c.flagWords()
		} else {
			next = append(next, "--help")
		}
		fmt.Fprintf(&words, "    %s) reply=%s ;;\n", quoted(path), quoted(strings.Join(next, " ")))
		if kind := c.Args.kind(); kind != "" {
			fmt.Fprintf(&values, "    %s) kind=%s reply=%s ;;\n", quoted(path+"|"), kind, quoted(strings.Join(c.Args.Words, " ")))
		}
		for _, f := range c.Flags {
			for _, name := range f.Names {
				if !f.Switch && !slices.Contains(valued, "--"+name) {
					valued = append(valued, "--"+name)
				}
				if kind := f.Value.kind(); kind != "" {
					fmt.Fprintf(&values, "    %s) kind=%s reply=%s ;;\n",
						quoted(path+"|--"+name), kind, quoted(strings.Join(f.Value.Words, " ")))
				}
			}
		}
	})
	return "_exante_valued=" + quoted(" "+strings.Join(valued, " ")+" ") + "\n\n" +
		"_exante_words() {\n    reply=\n    case \"$1\" in\n" + words.String() + "    esac\n}\n\n" +
		"_exante_value() {\n    kind= reply=\n    case \"$1|$2\" in\n" + values.String() + "    esac\n}\n\n" + follow
}

// follow reads the words that were typed before the one at the cursor. It sets path,
// and flag if that flag waits for its value.
const follow = `_exante_follow() {
    local word rest
    path= flag=
    for word in "$@"; do
        if [[ -n $flag ]]; then
            flag=
            continue
        fi
        case "$word" in
        --) ;;
        --*=*) ;;
        -*) [[ $_exante_valued == *" $word "* ]] && flag=$word ;;
        *)
            rest="${path:+$path }$word"
            _exante_words "$rest"
            [[ -n $reply ]] && path=$rest
            ;;
        esac
    done
    return 0
}
`

// quoted is s as one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
