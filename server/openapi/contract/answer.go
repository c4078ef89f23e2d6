package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Answer is what a server said to a request.
type Answer struct {
	Method, Target string // of the request; Target may have a query
	Status         int
	Header         http.Header
	Body           []byte
}

// carried are header fields that belong to the connection or the message itself,
// which no OpenAPI document describes.
var carried = []string{"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Strict-Transport-Security", "Transfer-Encoding"}

// Check says in what the answer departs from the document: a status, a header, a
// media type or a body that is not in it. What the document does not describe may
// answer as it likes, but for errors in JSON: those have one form everywhere.
func (d *Document) Check(a Answer) error {
	path, _, _ := strings.Cut(a.Target, "?")
	o := d.Find(a.Method, path)
	if o == nil {
		return d.checkStray(a)
	}
	r := o.child("responses").child(strconv.Itoa(a.Status))
	if r.absent() {
		return fmt.Errorf("%s has no status %d: %s", o.ID, a.Status, a.Body)
	}
	err := errors.Join(checkHeaders(r.child("headers"), a.Header), checkContent(r.child("content"), a))
	if err != nil {
		return fmt.Errorf("%s, status %d: %w", o.ID, a.Status, err)
	}
	return nil
}

// checkStray judges an answer that no operation gave.
func (d *Document) checkStray(a Answer) error {
	if a.Status < 400 || a.Header.Get("Content-Type") != "application/json" || a.Method == "HEAD" {
		return nil
	}
	if err := d.root.child("components").child("schemas").child("Error").schema().checkJSON(a.Body); err != nil {
		return fmt.Errorf("%s %s, status %d: %w", a.Method, a.Target, a.Status, err)
	}
	return nil
}

func checkHeaders(declared node, got http.Header) error {
	var problems []error
	for _, name := range declared.keys() {
		h := declared.child(name)
		values := got.Values(name)
		switch {
		case len(values) == 0 && h.child("required").value == true:
			problems = append(problems, fmt.Errorf("%s is missing", name))
		case len(values) > 1:
			problems = append(problems, fmt.Errorf("%s is there %d times", name, len(values)))
		case len(values) == 1:
			if err := h.child("schema").schema().Validate(scalar(h, values[0])); err != nil {
				problems = append(problems, fmt.Errorf("%s: %q: %w", name, values[0], err))
			}
		}
	}
	for name := range got {
		known := func(declared string) bool { return http.CanonicalHeaderKey(declared) == name }
		if !slices.Contains(carried, name) && !slices.ContainsFunc(declared.keys(), known) {
			problems = append(problems, fmt.Errorf("%s is not in the document", name))
		}
	}
	return errors.Join(problems...)
}

// scalar is a header's text as its schema wants it.
func scalar(h node, text string) any {
	if h.child("schema").child("type").text() == "integer" {
		return json.Number(text)
	}
	return text
}

func checkContent(declared node, a Answer) error {
	kind := a.Header.Get("Content-Type")
	bare, _, _ := mime.ParseMediaType(kind)
	content := declared.child(bare)
	if content.absent() && bare != "" {
		content = declared.child("*/*")
	}
	switch {
	case declared.absent() && len(a.Body) > 0:
		return fmt.Errorf("%d bytes of body, and none are in the document", len(a.Body))
	case declared.absent():
		return nil
	case content.absent():
		return fmt.Errorf("media type %q is not in the document", kind)
	case a.Method == "HEAD" && len(a.Body) > 0:
		return errors.New("HEAD is answered with a body")
	case a.Method == "HEAD":
		return nil
	case bare == "application/x-ndjson":
		return checkLines(content.child("schema").child("x-line-schema").schema(), a.Body)
	case bare != "application/json":
		return nil
	}
	if err := content.child("schema").schema().checkJSON(a.Body); err != nil {
		return fmt.Errorf("%w\n%s", err, a.Body)
	}
	return checkEnvelope(a)
}

// checkLines wants one JSON value a line, each ended by a line feed.
func checkLines(s *Schema, body []byte) error {
	for line := range bytes.Lines(body) {
		if err := s.checkJSON(line); err != nil {
			return err
		}
		if !bytes.HasSuffix(line, []byte("\n")) {
			return errors.New("the last line has no end")
		}
	}
	return nil
}

// checkJSON wants one JSON value (RFC 7493: no name twice in an object) that fits
// the schema.
func (s *Schema) checkJSON(body []byte) error {
	if err := checkText(body); err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func checkText(body []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	_, err := dec.ReadValue()
	return err
}

// checkEnvelope holds what the envelope repeats against the original.
func checkEnvelope(a Answer) error {
	var envelope struct {
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
	}
	if json.Unmarshal(a.Body, &envelope) != nil { // not an object: nothing repeats
		return nil
	}
	if envelope.StatusCode != 0 && envelope.StatusCode != a.Status {
		return fmt.Errorf("status_code %d on a %d", envelope.StatusCode, a.Status)
	}
	if id := a.Header.Get("X-Request-Id"); envelope.RequestID != "" && envelope.RequestID != id {
		return fmt.Errorf("request_id %q beside X-Request-Id %q", envelope.RequestID, id)
	}
	return nil
}
