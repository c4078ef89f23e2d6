package storage

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// refusals gathers what is wrong with a request, so that one answer names all of it.
type refusals []Problem

func (r *refusals) add(path, reason string) { *r = append(*r, Problem{path, reason}) }

// text returns a text as it is kept: cleaned, and of min to max characters.
func (r *refusals) text(path, text string, min, max int) string {
	clean, reason := cleanText(text, min, max)
	if reason != "" {
		r.add(path, reason)
	}
	return clean
}

// lines is text for a text of several lines, of up to max characters in all.
func (r *refusals) lines(path, text string, max int) string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	for i, line := range lines {
		clean, reason := cleanText(line, 0, max)
		if reason != "" {
			r.add(path, reason)
			return ""
		}
		lines[i] = clean
	}
	whole := strings.Join(lines, "\n")
	if utf8.RuneCountInString(whole) > max {
		r.add(path, fmt.Sprintf("must have 0 to %d characters", max))
	}
	return whole
}

// email returns an e-mail address as it is kept and compared.
func (r *refusals) email(path, text string) string {
	clean, reason := cleanEmail(text)
	if reason != "" {
		r.add(path, reason)
	}
	return clean
}

// err is an InvalidError of all that was added, or nil.
func (r refusals) err() error {
	if len(r) == 0 {
		return nil
	}
	return &InvalidError{r}
}
