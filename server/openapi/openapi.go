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
	"embed"
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

	*static.Set // its assets
}

// New reads what is embedded.
func New() (*Site, error) {
	assets, err := static.NewSet(files)
	if err != nil {
		return nil, err
	}
	return &Site{
		Document: static.New("application/json", document),
		Page:     static.New("text/html; charset=utf-8", []byte(strings.ReplaceAll(page, "VERSION", assets.Version))),
		Set:      assets,
	}, nil
}
