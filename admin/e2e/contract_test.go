package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"exante/server/openapi/contract"
)

// readDocument is the OpenAPI document as it lies in the repository.
func readDocument() ([]byte, error) {
	return os.ReadFile(filepath.Join(root, "server/openapi/openapi.json"))
}

var loadDocument = sync.OnceValues(func() (*contract.Document, error) {
	text, err := readDocument()
	if err != nil {
		return nil, err
	}
	return contract.Load(text)
})

// checkContract holds an answer of the binary against the document.
func checkContract(t testing.TB, method, target string, resp *http.Response, body []byte) {
	t.Helper()
	document, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	a := contract.Answer{Method: method, Target: target, Status: resp.StatusCode, Header: resp.Header, Body: body}
	if err := document.Check(a); err != nil {
		t.Errorf("the answer is not in the OpenAPI document: %v", err)
	}
}

func TestBinaryServesTheDocumentOfTheRepository(t *testing.T) {
	want, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, dataDir(t))
	if got := s.call("GET", "/openapi.json", "", "").want(t, 200).body; string(got) != string(want) {
		t.Errorf("the binary serves %d bytes that are not the %d of the file", len(got), len(want))
	}
}
