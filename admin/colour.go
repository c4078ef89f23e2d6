package admin

import (
	"io"
	"os"
)

// hue is how a word is drawn on a terminal (ECMA-48, SGR).
type hue string

const (
	green  hue = "\x1b[32m"
	yellow hue = "\x1b[33m"
	red    hue = "\x1b[31m"
	faint  hue = "\x1b[2m"
	plain  hue = "\x1b[0m"
)

// stateHues are the only words of the data that have a colour.
var stateHues = map[string]hue{
	"active": green, "expiring": yellow, "retiring": yellow, "revoked": red, "expired": faint, "disabled": faint,
}

// stateTitles are the columns and fields whose words have one.
var stateTitles = map[string]bool{"STATE": true, "STATUS": true, "state": true, "status": true}

// colours reports whether what goes to w may be coloured: a person sees it, on a
// terminal that can, and has not asked for none (no-color.org).
func colours(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// paint is word in its hue, "" for none.
func paint(word string, h hue) string {
	if h == "" {
		return word
	}
	return string(h) + word + string(plain)
}
