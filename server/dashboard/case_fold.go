package dashboard

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// folded is a text to look for whatever the case. It keeps room for what it is looked
// for in, so that ten thousand names cost no allocation. It is for one goroutine.
type folded struct {
	text []byte
	room []byte
}

func newFolded(text string) folded { return folded{text: []byte(strings.ToLower(text))} }

// in reports whether it is a part of s.
func (f *folded) in(s string) bool {
	f.room = appendFolded(f.room[:0], s)
	return bytes.Contains(f.room, f.text)
}

// inAddr reports whether it is a part of an address as that is written.
func (f *folded) inAddr(a netip.Addr) bool {
	f.room = a.AppendTo(f.room[:0])
	return bytes.Contains(f.room, f.text)
}

// appendFolded appends s to b as strings.ToLower has it.
func appendFolded(b []byte, s string) []byte {
	had := len(b)
	b = append(b, s...)
	for i, c := range b[had:] {
		if c >= utf8.RuneSelf {
			return append(b[:had+i], strings.ToLower(s[i:])...)
		}
		b[had+i] = lower(c)
	}
	return b
}

// compareFolded compares a and b as strings.ToLower has them.
func compareFolded(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i]|b[i] >= utf8.RuneSelf {
			return strings.Compare(strings.ToLower(a[i:]), strings.ToLower(b[i:]))
		}
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return strings.Compare(strings.ToLower(a[n:]), strings.ToLower(b[n:]))
}

// lower is an ASCII letter in lower case, and any other byte.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
