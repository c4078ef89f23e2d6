package storage_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// crashUploadDir makes the test binary a process that is killed while a file comes.
const crashUploadDir = "EXANTE_TEST_CRASH_UPLOAD_DIR"

// uploadUntilKilled has an invoice with one attachment, tells of it and of how many
// records the store has, and tells again when 3 MiB of another have come.
func uploadUntilKilled(dir string) error {
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, MaxWait: time.Minute})
	if err != nil {
		return err
	}
	s, err := storage.Open(storage.Options{Dir: dir, Create: true, Hasher: hasher, Environment: auth.Live})
	if err != nil {
		return err
	}
	ctx := context.Background()
	org, _, err := s.CreateOrg(ctx, storagetest.Shell, storage.OrgDraft{Name: "Acme"})
	if err != nil {
		return err
	}
	by := storagetest.Shell.In(org.ID)
	party, err := s.CreateParty(ctx, by, billing.PartyPatch{Name: new("Globex")})
	if err != nil {
		return err
	}
	inv, err := s.CreateInvoice(ctx, by, billing.InvoicePatch{PartyID: &party.ID})
	if err != nil {
		return err
	}
	whole := storage.File{Name: "whole", Content: bytes.NewReader(noise(100_000))}
	if _, _, err := s.AddAttachments(ctx, by, inv.ID, 0, inTurn(whole)); err != nil {
		return err
	}
	report, err := s.Verify(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Println(org.ID, inv.ID, report.Records)
	half := storage.File{Name: "half", Content: io.MultiReader(bytes.NewReader(noise(3<<20)), calling{func() {
		fmt.Println("coming")
		select {}
	}})}
	_, _, err = s.AddAttachments(ctx, by, inv.ID, 0, inTurn(file("first", "came whole"), half))
	return err
}

func TestUploadThatWasKilledLeavesNothing(t *testing.T) {
	o := storagetest.Options(t, nil)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashUploadDir+"="+o.Dir)
	child.Stderr = os.Stderr
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var org, inv, coming string
	var records int
	lines := bufio.NewReader(pipe)
	_, err = fmt.Fscan(lines, &org, &inv, &records, &coming)
	child.Process.Kill()
	child.Wait()
	if err != nil {
		t.Fatal(err)
	}
	b := &books{TB: t, Store: storagetest.Reopen(t, o)}
	orgID, _ := uid.Parse(org)
	invID, _ := uid.Parse(inv)
	items, total, _, err := b.Attachments(t.Context(), orgID, invID, 1, 10)
	if err != nil || total != 1 || items[0].Name != "whole" {
		t.Fatalf("attachments are %+v, %v", items, err)
	}
	c, err := b.OpenAttachment(t.Context(), orgID, invID, items[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, noise(100_000)) {
		t.Errorf("the whole one has %d bytes, %v", len(got), err)
	}
	b.wantRecords(records)
}
