package server

import (
	"bytes"
	"crypto/sha256"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
)

// Every POST may carry an Idempotency-Key, so that a client which heard no answer
// can ask again. once, put around each handler by mount, keeps a second request
// out while the first runs, and answers what was answered before. The handler
// passes on to the store what its answer is made of: see posting.

// maxIdempotencyKey is the length of the longest key.
const maxIdempotencyKey = 255

// claim is the Idempotency-Key of a request, as the store knows it.
type claim struct {
	made bool // there is one
	id   storage.OnceID
	body [sha256.Size]byte // its hash
}

// once puts the handling of Idempotency-Key in front of the handler of a POST.
func once(handle handler) handler {
	return func(x *exchange) error {
		values := x.http.Request.Header.PeekAll("Idempotency-Key")
		if len(values) == 0 {
			return handle(x)
		}
		key, err := idempotencyKey(values)
		if err != nil {
			return err
		}
		id := onceID(x.admitted.Key.ID, x.row.method, x.path.Path(), key)
		release, err := x.store.Reserve(x.org(), id)
		if err != nil {
			return err
		}
		defer release()
		x.claim = claim{made: true, id: id}
		if x.row.input == inBody {
			if err := x.sent(sha256.Sum256(x.body())); err != nil {
				return err
			}
		}
		return handle(x)
	}
}

// sent says what a request with an Idempotency-Key had in its body, and ends it
// if it was answered before. A handler that reads its body by itself calls it
// when it has, and before it posts.
func (x *exchange) sent(fingerprint [sha256.Size]byte) error {
	if !x.claim.made {
		return nil
	}
	x.claim.body = fingerprint
	return x.store.Answered(x.ctx(), x.org(), x.claim.id, fingerprint)
}

// onceID is the key within its scope: the API key, the method and the path as it
// was sent. Each part is of fixed width or can't hold the NUL that ends it.
func onceID(owner uid.ID, method, path string, key []byte) storage.OnceID {
	return sha256.Sum256(bytes.Join([][]byte{
		[]byte("exante idempotency key v1"), owner[:], []byte(method), []byte(path), key,
	}, []byte{0}))
}

// idempotencyKey takes the key out of the one header there must be: bare, or a
// string of structured fields (RFC 9651 §3.3.3), which names the same key.
func idempotencyKey(values [][]byte) ([]byte, error) {
	if len(values) > 1 {
		return nil, input.Invalid("Idempotency-Key", "is sent twice")
	}
	key, ok := values[0], true
	if len(key) > 0 && key[0] == '"' {
		key, ok = unquoted(key)
	}
	if !ok || len(key) < 1 || len(key) > maxIdempotencyKey || bytes.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, input.Invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters, bare or in quotes")
	}
	return key, nil
}

// unquoted is what a quoted string holds; a backslash stands before a quote or
// another backslash and nowhere else.
func unquoted(text []byte) ([]byte, bool) {
	content := make([]byte, 0, len(text))
	for i := 1; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			return content, i == len(text)-1
		case '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return nil, false
			}
			content = append(content, text[i])
		default:
			content = append(content, c)
		}
	}
	return nil, false
}

// replay answers what was answered before.
func (x *exchange) replay(a *storage.Answer) error {
	x.http.Response.Header.SetCanonical(headerReplayed, valueTrue)
	return x.give(a)
}

func (x *exchange) give(a *storage.Answer) error {
	if a.Version != 0 {
		x.tag(a.Version)
	}
	return x.send(a.Status, a.Body)
}

// receipt is what the handler of a POST answers once the store has made a T. It
// is a value, so that a request without a key pays nothing for those with one.
type receipt[T any] struct {
	status  int
	message string
	version func(T) uint64
	write   func(x *exchange, w *jsonWriter, made T, now time.Time)
}

// render writes the answer; what it takes from x is settings.
func (r *receipt[T]) render(x *exchange, w *jsonWriter, made T, now time.Time) {
	w.success(r.status, r.message, func(w *jsonWriter) { r.write(x, w, made, now) })
}

// posting is one POST under way: once goes to the method of the store, and then
// answer says what came of it.
type posting[T any] struct {
	x       *exchange
	receipt *receipt[T]
	once    *storage.Once[T] // nil without an Idempotency-Key
}

func post[T any](x *exchange, r *receipt[T]) posting[T] {
	p := posting[T]{x: x, receipt: r}
	if x.claim.made {
		now := x.options.Now()
		p.once = &storage.Once[T]{ID: x.claim.id, Fingerprint: x.claim.body, Render: func(made T) storage.Answer {
			w := x.newWriter()
			defer x.free(w)
			r.render(x, w, made, now)
			return storage.Answer{Status: r.status, Body: bytes.Clone(w.buf), Version: r.version(made)}
		}}
	}
	return p
}

// sent is exchange.sent for a handler that learns only after post what was sent.
func (p posting[T]) sent(fingerprint [sha256.Size]byte) error {
	if p.once != nil {
		p.once.Fingerprint = fingerprint
	}
	return p.x.sent(fingerprint)
}

// answer sends the answer that was kept, to the byte, or renders one.
func (p posting[T]) answer(made T) error {
	if p.once != nil {
		kept := p.once.Kept()
		return p.x.give(&kept)
	}
	w := p.x.newWriter()
	defer p.x.free(w)
	p.receipt.render(p.x, w, made, p.x.options.Now())
	return p.x.tag(p.receipt.version(made)).sendCopy(p.receipt.status, w.buf)
}
