package server

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"exante/auth/uid"
	"exante/storage/billing"
)

// jsonWriter appends JSON text to buf. Commas come by themselves. A zero uid,
// time or text is an absent value and reads null: answers never omit a field and
// never hold an empty string.
type jsonWriter struct{ buf []byte }

// maxPooled is the largest buffer that waits for the next answer; one that grew
// beyond it, for an uncommon answer, is left to the garbage collector.
const maxPooled = 64 << 10

func (s *Server) newWriter() *jsonWriter { return s.writers.Get().(*jsonWriter) }

// free takes a writer back; nothing may hold its bytes any more.
func (s *Server) free(w *jsonWriter) {
	if cap(w.buf) <= maxPooled {
		w.buf = w.buf[:0]
		s.writers.Put(w)
	}
}

// next puts the comma before a name or an element, unless it is the first one or
// the value of a name. Outside of a string the last byte tells; a line feed ends
// the value before.
func (w *jsonWriter) next() {
	if n := len(w.buf); n > 0 {
		if c := w.buf[n-1]; c != '{' && c != '[' && c != ':' && c != '\n' {
			w.buf = append(w.buf, ',')
		}
	}
}

// name starts a member. Names are ours and need no escaping.
func (w *jsonWriter) name(name string) {
	w.next()
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

// open starts an object or array with '{' or '['; close ends it with '}' or ']'.
func (w *jsonWriter) open(bracket byte) {
	w.next()
	w.buf = append(w.buf, bracket)
}

func (w *jsonWriter) close(bracket byte) { w.buf = append(w.buf, bracket) }

// quote appends a string value. Stored text is valid UTF-8; were it not, the bad
// bytes would read U+FFFD, which is the best that can be done on the way out.
func (w *jsonWriter) quote(s string) {
	w.next()
	w.buf, _ = jsontext.AppendQuote(w.buf, s)
}

func (w *jsonWriter) null(name string) {
	w.name(name)
	w.buf = append(w.buf, "null"...)
}

func (w *jsonWriter) text(name, s string) {
	if s == "" {
		w.null(name)
		return
	}
	w.name(name)
	w.quote(s)
}

func (w *jsonWriter) id(name string, id uid.ID) {
	if id.IsZero() {
		w.null(name)
		return
	}
	w.name(name)
	w.buf = append(w.buf, '"')
	w.buf = id.Append(w.buf)
	w.buf = append(w.buf, '"')
}

// time writes RFC 3339 in UTC, whole seconds.
func (w *jsonWriter) time(name string, t time.Time) {
	if t.IsZero() {
		w.null(name)
		return
	}
	w.name(name)
	w.buf = append(w.buf, '"')
	w.buf = t.UTC().AppendFormat(w.buf, time.RFC3339)
	w.buf = append(w.buf, '"')
}

func (w *jsonWriter) int(name string, n int64) {
	w.name(name)
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

func (w *jsonWriter) cents(name string, c billing.Cents) { w.int(name, int64(c)) }

func (w *jsonWriter) quantity(name string, q billing.Quantity) {
	w.name(name)
	w.buf = q.Append(w.buf)
}

func (w *jsonWriter) bool(name string, b bool) {
	w.name(name)
	w.buf = strconv.AppendBool(w.buf, b)
}

// texts writes an array of strings, [] when there are none.
func (w *jsonWriter) texts(name string, list []string) {
	w.name(name)
	w.open('[')
	for _, s := range list {
		w.quote(s)
	}
	w.close(']')
}

// raw writes a value that is JSON already.
func (w *jsonWriter) raw(name string, value []byte) {
	w.name(name)
	w.buf = append(w.buf, value...)
}
