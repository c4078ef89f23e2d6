// Package static holds files that are part of the program: their bytes, the hash
// that names them, and the gzip form, which is made once, when it is first asked
// for. It knows what HTTP says about choosing between them, and no HTTP library.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
)

// File is a file that does not change while the program runs.
type File struct {
	Type string // media type
	Body []byte
	Hash string // of Body: 16 hexadecimal digits

	zipped func() []byte
}

// New makes a File. body must not change any more.
func New(mediaType string, body []byte) *File {
	sum := sha256.Sum256(body)
	return &File{
		Type: mediaType, Body: body, Hash: hex.EncodeToString(sum[:8]),
		zipped: sync.OnceValue(func() []byte { return compress(body) }),
	}
}

// compress returns nil where gzip would not make it smaller.
func compress(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is known
	_, _ = w.Write(body)                                  // to memory
	_ = w.Close()
	if b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

// Choice is the form of a File that goes out.
type Choice struct {
	Body     []byte // nil: the client has it
	Tag      string // strong ETag, of this form
	Encoding string // "gzip" or ""
}

// Choose picks the form for a client that sent these header fields, "" for none.
func (f *File) Choose(acceptEncoding, ifNoneMatch string) Choice {
	c := Choice{Body: f.Body, Tag: `"` + f.Hash + `"`}
	if accepts(acceptEncoding, "gzip") {
		if z := f.zipped(); z != nil {
			c = Choice{Body: z, Tag: `"` + f.Hash + `-gzip"`, Encoding: "gzip"}
		}
	}
	if matches(ifNoneMatch, c.Tag) {
		c.Body = nil
	}
	return c
}

// accepts reads Accept-Encoding (RFC 9110 §12.5.3): a coding is accepted if it is
// named with a weight above 0.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, parameter, weighted := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		if !weighted {
			return true
		}
		_, weight, _ := strings.Cut(parameter, "=")
		weight = strings.TrimSpace(weight)
		return strings.Trim(weight, "0123456789.") == "" && strings.Trim(weight, "0.") != ""
	}
	return false
}

// matches reads If-None-Match (RFC 9110 §13.1.2), which compares weakly.
func matches(header, tag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}
