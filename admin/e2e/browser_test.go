package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a page in a real Chromium, and all that it complained of.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // errors and warnings, violations of the content security policy too
	requests   []string // every address it asked
	received   float64  // bytes over the network, headers too
	asked      int      // dialogs that it opened, each of them declined
}

// openBrowser starts Chromium. A developer without it skips the test; in CI it
// must be there.
func openBrowser(t *testing.T, extra ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("needs Chromium: apt-get install chromium")
	}
	b := &browser{t: t}
	// Everything else that keeps Chromium from calling home is chromedp's default,
	// and so is a fresh profile.
	options := chromedp.WithAllocatorOptions(append(extra, chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 1600))...)
	life, end := chromedp.NewContext(context.Background(), options, chromedp.WithListener(b.listen))
	t.Cleanup(end)
	if err := chromedp.Do(life); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	ctx, stop := context.WithTimeout(life, 2*time.Minute)
	t.Cleanup(stop)
	b.ctx = ctx
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		call(b, enable, cdp.Empty{})
	}
	call(b, network.Enable, network.EnableParams{})
	return b
}

func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complain := func(format string, args ...any) { b.complaints = append(b.complaints, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			for _, arg := range e.Args {
				complain("console %s: %s %s", e.Type, arg.Value, arg.Description)
			}
		}
	case *runtime.EventExceptionThrown:
		complain("exception: %v", e.ExceptionDetails)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			complain("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *network.EventLoadingFinished:
		b.received += e.EncodedDataLength
	case *page.EventJavascriptDialogOpening:
		b.asked++
		go chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}) // not from here: the answer would wait for this
	}
}

// do carries out actions, and tells what was under way when one fails.
func (b *browser) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	read(b, what, chromedp.Steps(actions...))
}

// read is do for an action that has a result.
func read[T any](b *browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.t.Fatalf("%s: %v\ncomplaints: %q", what, err, b.complaints)
	}
	return value
}

// quiet fails if the page complained of anything, or asked anybody but the server.
func (b *browser) quiet(server string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Error(c)
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, server+"/") && !strings.HasPrefix(url, "data:") {
			b.t.Errorf("the page asked %s", url)
		}
	}
}

// picture keeps what the page looks like, for who runs the tests with -artifacts.
func (b *browser) picture(name string) {
	b.t.Helper()
	png := read(b, "take a picture", chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// whole is picture for all of a page, however long it is.
func (b *browser) whole(name string) {
	b.t.Helper()
	png := read(b, "take a picture", chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
