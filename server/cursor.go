package server

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/filter"
	"exante/storage"
)

// A cursor is a place in a list, as a client may keep it: what the store calls a
// mark, and a MAC over it, the organization and all parameters that make the
// list what it is. So one that was edited, or is used under another filter or
// sort or by another organization, is none of ours.
//
//	32 bytes  HMAC-SHA-256
//	16 bytes  uid
//	varint    value
//	rest      text

// cursorOf is the cursor of a mark; "" for none.
func (x *exchange) cursorOf(q *filter.Query, m *storage.InvoiceMark) string {
	if m == nil {
		return ""
	}
	mark := slices.Concat(m.ID[:], binary.AppendVarint(nil, m.Value), []byte(m.Text))
	return base64.RawURLEncoding.EncodeToString(append(x.signMark(q, mark), mark...))
}

// readCursor reads the parameter cursor. walk reports that it was sent: an empty
// one begins a walk.
func (x *exchange) readCursor(q *filter.Query) (after *storage.InvoiceMark, walk bool) {
	text, sent := q.TakeEmpty("cursor")
	if !sent || text == "" {
		return nil, sent
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < auth.MACSize || !hmac.Equal(raw[:auth.MACSize], x.signMark(q, raw[auth.MACSize:])) {
		q.Refuse("cursor", "is not one that this list has given for these parameters")
		return nil, true
	}
	return parseMark(raw[auth.MACSize:]), true
}

// parseMark reads what cursorOf wrote; the MAC vouches for it.
func parseMark(b []byte) *storage.InvoiceMark {
	m := &storage.InvoiceMark{ID: uid.ID(b[:16])}
	n := 0
	m.Value, n = binary.Varint(b[16:])
	m.Text = string(b[16+n:])
	return m
}

// signMark is the MAC of a mark in the list that q asks for.
func (x *exchange) signMark(q *filter.Query, mark []byte) []byte {
	org := x.org()
	return x.signing.MAC("exante cursor v1\x00", org[:], q.Identity(), mark)
}
