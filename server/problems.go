package server

import (
	"fmt"

	"exante/auth/uid"
	"exante/storage/input"
)

// problems gathers what is wrong with a body or a query, so that one answer names
// every mistake.
type problems struct{ list []input.Problem }

func (p *problems) add(path, format string, args ...any) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, input.Problem{Path: path, Reason: fmt.Sprintf(format, args...)})
	}
}

// err is nil when nothing is wrong.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &input.InvalidError{Problems: p.list}
}

// nowhere is a uid that no record has: version 15 is never made. A malformed uid
// in a path or an array takes the way of an absent one, so both answer the same.
// n tells several of them apart.
func nowhere(n int) uid.ID {
	id := uid.ID{6: 0xff, 8: 0xff}
	id[14], id[15] = byte(n>>8), byte(n)
	return id
}

// idOrNowhere parses the uid of the thing that is acted on.
func idOrNowhere(text string, n int) uid.ID {
	id, err := uid.Parse(text)
	if err != nil {
		return nowhere(n)
	}
	return id
}
