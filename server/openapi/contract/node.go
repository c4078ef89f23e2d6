package contract

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// node is a place in the document. References are followed on the way to it, so
// pointer is where it really stands. The zero node is nowhere, and so are its
// children.
type node struct {
	doc     *Document
	pointer string
	value   any
}

func (n node) absent() bool { return n.value == nil }

// child is the member or element called name.
func (n node) child(name string) node {
	var v any
	switch parent := n.value.(type) {
	case map[string]any:
		v = parent[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i < len(parent) {
			v = parent[i]
		}
	}
	if v == nil {
		return node{}
	}
	at := node{n.doc, n.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name), v}
	return at.follow()
}

// follow goes to what a lone $ref names; one with neighbours is a schema, in which
// both apply.
func (n node) follow() node {
	m, _ := n.value.(map[string]any)
	ref, isRef := m["$ref"].(string)
	if !isRef || len(m) > 1 {
		return n
	}
	to := n.doc.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		to = to.child(strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
	}
	return to
}

func (n node) keys() []string {
	m, _ := n.value.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

func (n node) list() []node {
	elements, _ := n.value.([]any)
	list := make([]node, len(elements))
	for i := range elements {
		list[i] = n.child(strconv.Itoa(i))
	}
	return list
}

func (n node) text() string {
	s, _ := n.value.(string)
	return s
}

func (n node) schema() *Schema {
	if n.absent() {
		return nil
	}
	return &Schema{n}
}

// Schema is a schema in the document.
type Schema struct{ node }

// Validate holds a decoded value (jsonschema.UnmarshalJSON) against the schema.
func (s *Schema) Validate(value any) error {
	compiled, err := s.doc.compile(s.pointer)
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

func (d *Document) compile(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.compiled[pointer]; ok {
		return s, nil
	}
	s, err := d.compiler.Compile(location + "#" + pointer)
	if err == nil {
		d.compiled[pointer] = s
	}
	return s, err
}

// Keywords are those of the schema, with those of what it refers to beneath.
func (s *Schema) Keywords() map[string]any {
	m, _ := s.value.(map[string]any)
	ref, isRef := m["$ref"].(string)
	if !isRef {
		return m
	}
	target := node{s.doc, "", map[string]any{"$ref": ref}}.follow()
	all := maps.Clone((&Schema{target}).Keywords())
	for name, v := range m {
		if name != "$ref" {
			all[name] = v
		}
	}
	return all
}

// Within is a schema among the keywords of s, by its value there.
func (s *Schema) Within(value any) *Schema { return &Schema{node{s.doc, "", value}} }
