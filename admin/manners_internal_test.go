package admin

import (
	"bytes"
	"context"
	"go/ast"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// What every command owes to who types it. Each test walks the tree of commands, so
// a new one is held to it without a word.

// eachCommand visits every command that does something, by its path.
func eachCommand(t *testing.T, visit func(path []string, c *cli.Command)) {
	t.Helper()
	visited := 0
	var walk func(path []string, commands []*cli.Command)
	walk = func(path []string, commands []*cli.Command) {
		for _, c := range commands {
			at := append(append([]string{}, path...), c.Name)
			if len(c.Subcommands) > 0 {
				walk(at, c.Subcommands)
				continue
			}
			visited++
			visit(at, c)
		}
	}
	walk(nil, (&shell{}).app().Commands)
	if visited < 15 {
		t.Fatalf("only %d commands were visited", visited)
	}
}

// runLine runs a command line that needs no store.
func runLine(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, talk bytes.Buffer
	s := &shell{stdin: strings.NewReader(""), stdout: &out, stderr: &talk}
	err = s.run(context.Background(), append([]string{"exante"}, args...))
	return out.String(), talk.String(), err
}

func wantWithinScreen(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > screenWidth {
			t.Errorf("%s has a line of %d columns, at most %d are seen: %s", what, n, screenWidth, line)
		}
	}
}

func TestEveryHelpIsCompleteAndFitsTheScreen(t *testing.T) {
	eachCommand(t, func(path []string, c *cli.Command) {
		help, _, err := runLine(t, append(path, "--help")...)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Join(path, " ")
		wantWithinScreen(t, "the help of "+name, help)
		for _, part := range []string{"exante " + name + " - ", "\nUSAGE\n   exante " + name, "\nFLAGS\n", "\nEXAMPLES\n   ", "\nEXIT CODES\n   0  done\n"} {
			if !strings.Contains(help, part) {
				t.Errorf("the help of %s lacks %q", name, part)
			}
		}
		for _, f := range c.Flags {
			if head, text := describe(f); text == "" {
				t.Errorf("%s: %s is not explained", name, head)
			}
		}
		for _, group := range [][]string{nil, path[:len(path)-1]} {
			help, _, err := runLine(t, append(append([]string{}, group...), "--help")...)
			if err != nil || !strings.Contains(help, path[len(path)-1]) {
				t.Errorf("the help of %q does not name %s, %v", group, name, err)
			}
			wantWithinScreen(t, "a list of commands", help)
		}
	})
}

// An example that does not work is worse than none.
func TestEveryExampleIsACommand(t *testing.T) {
	call := regexp.MustCompile(`exante ((?:'[^']*'|[^|&;<>()])*)`)
	quote := regexp.MustCompile(`'[^']*'`)
	eachCommand(t, func(path []string, _ *cli.Command) {
		help, _, err := runLine(t, append(path, "--help")...)
		if err != nil {
			t.Fatal(err)
		}
		_, examples, _ := strings.Cut(help, "\nEXAMPLES\n")
		examples, _, _ = strings.Cut(examples, "\nEXIT CODES\n")
		shown := false
		for line := range strings.Lines(strings.ReplaceAll(examples, "\\\n", " ")) {
			for _, m := range call.FindAllStringSubmatch(line, -1) {
				words := strings.Fields(quote.ReplaceAllStringFunc(m[1], func(q string) string { return strings.ReplaceAll(strings.Trim(q, "'"), " ", "_") }))
				if _, err := arrange((&shell{}).app(), append([]string{"exante"}, words...)); err != nil {
					t.Errorf("%s shows %q: %v", strings.Join(path, " "), m[0], err)
				}
				shown = shown || strings.HasPrefix(strings.Join(words, " "), strings.Join(path, " "))
			}
		}
		if !shown {
			t.Errorf("%s has no example of itself:\n%s", strings.Join(path, " "), examples)
		}
	})
}

func TestEveryCommandPrintsJSON(t *testing.T) {
	eachCommand(t, func(path []string, c *cli.Command) {
		known := flagNames(c)
		if !strings.Contains(" "+strings.Join(known, " ")+" ", " json ") {
			t.Errorf("%s has no --json", strings.Join(path, " "))
		}
	})
}

func TestHelpWorksWhereverItStands(t *testing.T) {
	eachCommand(t, func(path []string, c *cli.Command) {
		want, _, err := runLine(t, append(path, "--help")...)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			append([]string{"-h"}, path...), append(path, "-h", "surplus", "words", "--nonsense"), append([]string{"help"}, path...),
			append(append(path[:len(path):len(path)], "--"+flagNames(c)[0]+"=x"), "--help"),
		} {
			if got, _, err := runLine(t, args...); err != nil || got != want {
				t.Errorf("exante %s = %v, not the help", strings.Join(args, " "), err)
			}
		}
	})
}

func TestEveryMistypedWordGetsASuggestion(t *testing.T) {
	eachCommand(t, func(path []string, c *cli.Command) {
		for _, name := range flagNames(c) {
			if len(name) < 4 {
				continue
			}
			_, _, err := runLine(t, append(path[:len(path):len(path)], "--"+name[:len(name)-2]+name[len(name)-1:])...)
			if err == nil || !strings.Contains(err.Error(), "did you mean") {
				t.Errorf("%s: --%s without a letter: %v", strings.Join(path, " "), name, err)
			}
		}
		last := path[len(path)-1]
		_, _, err := runLine(t, append(path[:len(path)-1:len(path)-1], last+"x")...)
		if err == nil || !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%sx: %v", last, err)
		}
	})
}

func TestNoCommandShowsThemAll(t *testing.T) {
	stdout, stderr, err := runLine(t)
	if verdict(err).exit != exitUsage || stdout != "" || !strings.Contains(stderr, "COMMANDS\n   serve") {
		t.Errorf("exante = %q, %q, %v", stdout, stderr, err)
	}
}

// A table keeps within the screen whatever is in it: its columns do, or the last is
// as long as it takes.
func TestEveryTableFitsTheScreen(t *testing.T) {
	tables := 0
	for _, file := range parseDir(t, ".") {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			of, ok := lit.Type.(*ast.ArrayType)
			if name, isName := elementName(of); !ok || !isName || name != "column" {
				return true
			}
			tables++
			sum, last := 0, len(lit.Elts)-1
			for i, e := range lit.Elts {
				wide, isNumber := e.(*ast.CompositeLit).Elts[1].(*ast.BasicLit)
				if !isNumber && i < last {
					t.Errorf("a table has an uncut column before its last")
				}
				if isNumber {
					n, _ := strconv.Atoi(wide.Value)
					sum += n + 2
				}
			}
			if sum-2 > screenWidth {
				title, _ := strconv.Unquote(lit.Elts[0].(*ast.CompositeLit).Elts[0].(*ast.BasicLit).Value)
				t.Errorf("the table that begins with %s is %d columns wide, at most %d are seen", title, sum-2, screenWidth)
			}
			return true
		})
	}
	if tables < 4 {
		t.Errorf("only %d tables found", tables)
	}
}

func elementName(a *ast.ArrayType) (string, bool) {
	if a == nil {
		return "", false
	}
	id, ok := a.Elt.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

// A row of choices without a flag completes nothing.
func TestEveryChoiceBelongsToAFlag(t *testing.T) {
	used := map[string]bool{}
	eachCommand(t, func(_ []string, c *cli.Command) {
		for _, name := range flagNames(c) {
			used[name] = true
		}
	})
	for name, v := range choices() {
		if !used[name] {
			t.Errorf("no command has --%s", name)
		}
		for _, word := range v.Words {
			if word == "" || strings.ContainsAny(word, " ,'\x01") {
				t.Errorf("--%s: %q is no word", name, word)
			}
		}
	}
}
