// Package contract holds what a server says against the OpenAPI document. Only
// tests use it.
//
// kin-openapi judges the document itself. Answers are judged by the JSON Schema
// engine that kin-openapi builds on, asked directly: each schema is compiled once
// instead of once an answer, formats such as uuid are asserted, and a header that
// is not in the document is refused like a member that is not.
package contract

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is a valid OpenAPI document. It is safe for concurrent use.
type Document struct {
	// Operations are all that it describes, in no particular order.
	Operations []*Operation

	root     node
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema // by pointer
}

// Operation is a method of a path.
type Operation struct {
	ID, Method string
	Path       string // with templates: /api/invoices/{uid}
	Scopes     []string
	Open       bool // nobody needs a key
	Parameters []Parameter
	Body       *Schema // JSON; nil: none is read
	BodyNeeded bool
	Form       bool // files are read

	node
}

// Parameter is one of an operation.
type Parameter struct {
	Name, In string // In is path, query or header
	Required bool
	Schema   *Schema
}

// location is what the document is called while schemas are compiled.
const location = "https://exante.invalid/openapi.json"

// Load reads a document and checks it, with its examples unless an option says not.
func Load(text []byte, options ...openapi3.ValidationOption) (*Document, error) {
	t, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := t.Validate(context.Background(), options...); err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	d := &Document{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.root = node{d, "", tree}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(location, tree); err != nil {
		return nil, err
	}
	d.readOperations()
	return d, nil
}

var verbs = []string{"get", "put", "post", "delete", "patch", "options", "head", "trace"}

func (d *Document) readOperations() {
	paths := d.root.child("paths")
	for _, path := range paths.keys() {
		item := paths.child(path)
		for _, verb := range item.keys() {
			if !slices.Contains(verbs, verb) {
				continue
			}
			d.Operations = append(d.Operations, newOperation(path, verb, item))
		}
	}
}

func newOperation(path, verb string, item node) *Operation {
	n := item.child(verb)
	o := &Operation{ID: n.child("operationId").text(), Method: strings.ToUpper(verb), Path: path, Open: true, node: n}
	for _, requirement := range n.child("security").list() {
		for _, scheme := range requirement.keys() {
			o.Open = false
			for _, scope := range requirement.child(scheme).list() {
				o.Scopes = append(o.Scopes, scope.text())
			}
		}
	}
	for _, p := range slices.Concat(item.child("parameters").list(), n.child("parameters").list()) {
		o.Parameters = append(o.Parameters, Parameter{
			Name: p.child("name").text(), In: p.child("in").text(), Required: p.child("required").value == true, Schema: p.child("schema").schema(),
		})
	}
	body := n.child("requestBody")
	o.Form = !body.child("content").child("multipart/form-data").absent()
	o.BodyNeeded = body.child("required").value == true
	o.Body = body.child("content").child("application/json").child("schema").schema()
	return o
}

// Find is the operation that answers a path, the most literal one first; nil for
// what the document does not describe. GET answers HEAD.
func (d *Document) Find(method, path string) *Operation {
	if method == "HEAD" {
		method = "GET"
	}
	var best *Operation
	for _, o := range d.Operations {
		if o.Method == method && o.matches(path) && (best == nil || strings.Count(o.Path, "{") < strings.Count(best.Path, "{")) {
			best = o
		}
	}
	return best
}

func (o *Operation) matches(path string) bool {
	return slices.EqualFunc(strings.Split(o.Path, "/"), strings.Split(path, "/"), func(pattern, part string) bool {
		return pattern == part || strings.HasPrefix(pattern, "{") && part != ""
	})
}

// Text is the operation's member of that name: "summary", "description".
func (o *Operation) Text(name string) string { return o.child(name).text() }
