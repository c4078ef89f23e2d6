// Package openapi is the contract as a file: openapi.json, the OpenAPI 3.1
// document of the API, and a page to read and try it.
//
// The document is written by hand; only components/examples is not: they are real
// answers, which `go test ./server -run Examples -update` puts there. Tests hold
// the document against the route table in both directions, and every answer that
// any test gets against the document (package contract).
//
// # To describe a route
//
// Write its operation under paths: an operationId that makes a good method name,
// the scope, every parameter, and every status that can occur, most of which stand
// under components/responses. Name an example of its answer under
// components/examples, with the value {}; then play a step of that name in the
// story of server/examples_test.go and run that test with -update, which also lays
// out the file anew.
package openapi

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"

	"exante/server/static"
)

//go:embed openapi.json
var document []byte

//go:embed docs.html
var page string

//go:embed docs.css docs.js swagger-ui/swagger-ui.css swagger-ui/swagger-ui-bundle.js
var files embed.FS

// Site is the document and all that its page needs.
type Site struct {
	Document *static.File // /openapi.json
	Page     *static.File // /docs

	version string
	assets  map[string]*static.File
}

// New reads what is embedded.
func New() (*Site, error) {
	s := &Site{Document: static.New("application/json", document), assets: map[string]*static.File{}}
	all := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		all.Write(body)
		s.assets[path.Base(name)] = static.New(mediaType(name), body)
		return err
	})
	s.version = hex.EncodeToString(all.Sum(nil)[:8])
	s.Page = static.New("text/html; charset=utf-8", []byte(strings.ReplaceAll(page, "VERSION", s.version)))
	return s, err
}

// Asset is a file of the page, under the version that the page names: what is
// there never changes. nil: there is none.
func (s *Site) Asset(version, name string) *static.File {
	if version != s.version {
		return nil
	}
	return s.assets[name]
}

func mediaType(name string) string {
	if path.Ext(name) == ".css" {
		return "text/css; charset=utf-8"
	}
	return "text/javascript; charset=utf-8"
}
