package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe-core finds what keeps people out of a page: it comes from npm, and only into
// the browser of a test.
const (
	axePackage = "axe-core@4.14.1"
	axeSum     = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axeSource is the script. A developer without npm skips the test; in CI it must be there.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := fetchAxe()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("needs npm, for %s: %v", axePackage, err)
	}
	return source
}

var fetchAxe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(scratch, "axe")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("npm", "pack", "--silent", axePackage)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack: %w: %s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(names) != 1 {
		return "", fmt.Errorf("npm pack made %q, %v", names, err)
	}
	packed, err := os.ReadFile(names[0])
	if err != nil {
		return "", err
	}
	if sum := sha512.Sum512(packed); base64.StdEncoding.EncodeToString(sum[:]) != axeSum {
		return "", errors.New("it is not the package that was chosen")
	}
	return unpackOne(packed, "package/axe.min.js")
})

func unpackOne(packed []byte, name string) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(z); ; {
		head, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if head.Name == name {
			body, err := io.ReadAll(files)
			return string(body), err
		}
	}
}

// accessible fails if axe finds a violation on the page: WCAG 2.2 A and AA, and
// what axe calls best practice.
func (b *browser) accessible(what string) {
	b.t.Helper()
	b.do("bring in axe", chromedp.Evaluate[chromedp.Void](axeSource(b.t)+";undefined"))
	found := read(b, "ask axe", chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
		v.id + " (" + v.impact + "): " + v.help + "\n" + v.nodes.slice(0, 3).map(n => "    " + n.html.slice(0, 200) + "\n    " + n.failureSummary.replaceAll("\n", " ")).join("\n")).join("\n"))`,
		chromedp.EvalAwaitPromise))
	if strings.TrimSpace(found) != "" {
		b.t.Errorf("%s:\n%s", what, found)
	}
}
