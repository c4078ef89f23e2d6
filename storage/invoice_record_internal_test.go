package storage

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
)

// fill gives every field of v a value of its own, the unexported ones aside.
func fill(tb testing.TB, v reflect.Value, next *int64) {
	tb.Helper()
	*next++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.UnixMilli(1e12 + *next).UTC()))
		return
	case v.Type() == reflect.TypeFor[uid.ID]():
		v.Set(reflect.ValueOf(uid.ID{byte(*next), 0xff}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text " + string(rune('a'+*next%26)))
	case reflect.Int, reflect.Int64:
		v.SetInt(*next)
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(*next%200) + 1)
	case reflect.Array:
		fill(tb, v.Index(0), next)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(tb, v.Elem(), next)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(tb, v.Index(0), next)
		fill(tb, v.Index(1), next)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(tb, v.Field(i), next)
			}
		}
	default:
		tb.Fatalf("fill does not know %s", v.Type())
	}
}

func filled[T any](tb testing.TB) T {
	tb.Helper()
	var v T
	fill(tb, reflect.ValueOf(&v).Elem(), new(int64))
	return v
}

// wantNoZero fails for a field that was forgotten on the way into a record.
func wantNoZero(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	if v.IsZero() {
		t.Errorf("%s is zero", path)
	}
	switch v.Kind() {
	case reflect.Pointer:
		wantNoZero(t, v.Elem(), path)
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.Struct {
				wantNoZero(t, v.Index(i), path)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			wantNoZero(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	}
}

func fullInvoice(tb testing.TB) storedInvoice {
	i := storedInvoice{filled[billing.Invoice](tb), 79}
	i.Series, i.Payments = 77, 78
	i.Client.ID, i.Client.OrgID = i.PartyID, i.OrgID // kept once
	return i
}

func fullAttachment(tb testing.TB) Attachment {
	a := filled[Attachment](tb)
	a.chunks = 79
	return a
}

func TestRecordsKeepEveryField(t *testing.T) {
	i := fullInvoice(t)
	core, detail := coreOf(&i), detailOf(&i)
	wantNoZero(t, reflect.ValueOf(core), "core")
	wantNoZero(t, reflect.ValueOf(detail), "detail")
	back := core.invoice(i.OrgID, i.ID)
	if detail.into(&back); !reflect.DeepEqual(back, i) {
		t.Errorf("the invoice comes back as %+v\nwant %+v", back, i)
	}
	p := filled[billing.Party](t)
	record := partyRecordOf(&p)
	wantNoZero(t, reflect.ValueOf(record), "party")
	if back := record.party(p.OrgID, p.ID); !reflect.DeepEqual(back, p) {
		t.Errorf("the party comes back as %+v\nwant %+v", back, p)
	}
	paid := filled[billing.Payment](t)
	payment := paymentRecordOf(&paid)
	wantNoZero(t, reflect.ValueOf(payment), "payment")
	paid.Currency = "" // its invoice's
	if back := payment.payment(paid.InvoiceID, paid.ID); back != paid {
		t.Errorf("the payment comes back as %+v\nwant %+v", back, paid)
	}
	file := fullAttachment(t)
	attached := attachmentRecordOf(&file)
	wantNoZero(t, reflect.ValueOf(attached), "attachment")
	if back := attached.attachment(file.InvoiceID, file.ID); back != file {
		t.Errorf("the attachment comes back as %+v\nwant %+v", back, file)
	}
}

// The files under testdata are what is on the disks of those who run this: they
// are never written again. A record without one gets it here, to be committed.
func TestRecordsOfVersionOneAreReadForEver(t *testing.T) {
	i := fullInvoice(t)
	core, detail, party, payment := coreOf(&i), detailOf(&i), partyRecordOf(&i.Client), filled[billing.Payment](t)
	paid, file := paymentRecordOf(&payment), fullAttachment(t)
	attached := attachmentRecordOf(&file)
	for name, c := range map[string]struct {
		kind         byte
		record, into any
	}{
		"invoice_core":   {famInvoice, &core, &invoiceCore{}},
		"invoice_detail": {famChunk, &detail, &invoiceDetail{}},
		"party":          {famParty, &party, &partyRecord{}},
		"payment":        {famPayment, &paid, &paymentRecord{}},
		"number":         {famNumber, &numberRecord{uid.ID{7, 7}}, &numberRecord{}},
		"attachment":     {famAttachment, &attached, &attachmentRecord{}},
		"loose":          {famLoose, &looseRecord{7}, &looseRecord{}},
		"catalogue":      {famCatalogue, &catalogueRecord{uid.ID{8, 8}, 1250, 99}, &catalogueRecord{}},
	} {
		key := []byte("key of " + name)
		value, err := seal(key, c.kind, c.record)
		if err != nil {
			t.Fatal(err)
		}
		golden := goldenBytes(t, name, value)
		if !bytes.Equal(value, golden) {
			t.Errorf("%s is written as %x\nwant %x", name, value, golden)
		}
		if err := open(key, c.kind, golden, c.into); err != nil || !reflect.DeepEqual(c.into, c.record) {
			t.Errorf("%s is read as %+v, %v\nwant %+v", name, c.into, err, c.record)
		}
	}
}

func goldenBytes(t *testing.T, name string, value []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", "v1", name+".hex")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(hex.EncodeToString(value)+"\n"), 0o644))
		t.Errorf("wrote %s, which was missing: %v", path, err)
		return value
	}
	golden, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return golden
}

func FuzzOpenInvoice(f *testing.F) {
	i := fullInvoice(f)
	core, _ := encMode.Marshal(coreOf(&i))
	detail, _ := encMode.Marshal(detailOf(&i))
	f.Add(append(core, detail...))
	key := keyInvoice(uid.ID{1}, uid.ID{2})
	f.Fuzz(func(t *testing.T, payload []byte) {
		core, follows, err := openCore(key, sealBytes(key, famInvoice, payload))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
			return
		}
		i := core.invoice(uid.ID{1}, uid.ID{2})
		if i.chunks = 0; readDetail(nil, &i, follows) == nil {
			i.Faults()
		}
	})
}
