package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"exante/admin"
	"exante/auth"
	"exante/storage"
)

// The part of the contract that is about people, single keys and single invoices.

const (
	ada      = "ada@b.example"
	password = "a long way to Tipperary"
)

func user(do func(admin.Ops, context.Context, admin.UserRef) (admin.User, error), name string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) { return do(w.ops, ctx, admin.UserRef{User: name}) }
}

func link(name string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		return w.ops.LinkUser(ctx, admin.UserRef{User: name})
	}
}

func role(name, role string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		return w.ops.SetRole(ctx, admin.RoleRequest{User: name, Role: role})
	}
}

func setPassword(name, text string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		return w.ops.SetPassword(ctx, admin.PasswordRequest{User: name, Password: admin.Secret(text)})
	}
}

// signIn opens a session as a browser will: that is no operation of the shell.
func signIn(ctx context.Context, store *storage.Store, email string) (storage.Session, error) {
	n, _, err := store.SignIn(ctx, auth.Principal{}, email, auth.NewPassword(password),
		storage.SessionDraft{Idle: time.Hour, Max: time.Hour, UserAgent: []byte("Mozilla/5.0")})
	return n, err
}

func sessions(in admin.SessionsRef) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		if _, err := signIn(ctx, w.store, ada); err != nil {
			return nil, err
		}
		in := in
		in.Org = w.named(in.Org)
		return w.ops.Sessions(ctx, in)
	}
}

func endSession(uid string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		if uid == "" {
			n, err := signIn(ctx, w.store, ada)
			if err != nil {
				return nil, err
			}
			return w.ops.EndSession(ctx, admin.SessionRef{UID: n.ID.String()})
		}
		return w.ops.EndSession(ctx, admin.SessionRef{UID: uid})
	}
}

func setKey(in admin.KeyChange) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		if in.UID == "" {
			in.UID = w.care.UID
		}
		return w.ops.SetKey(ctx, in)
	}
}

// identify asks for the key of the walk and another that is well formed.
func identify(revoke bool, keys ...string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := admin.IdentifyRequest{Revoke: revoke}
		for _, k := range keys {
			if k == "ours" {
				k = w.care.Key.Reveal()
			}
			in.Keys = append(in.Keys, admin.Secret(k))
		}
		return w.ops.IdentifyKeys(ctx, in)
	}
}

// strange is a whole key that is nobody's.
const strange = "ex_live_00000000000000000000000000000000" + "3gs3n1"

// told is an answer about an invoice with its JSON as JSON: uids in base64 would hide.
func told(a admin.InvoiceAnswer, err error) (any, error) {
	return []json.RawMessage{orNullJSON(a.Invoice), orNullJSON(a.Payment)}, err
}

func orNullJSON(text []byte) json.RawMessage {
	if text == nil {
		return json.RawMessage("null")
	}
	return text
}

func invoice(do func(admin.Ops, context.Context, admin.InvoiceRef) (admin.InvoiceAnswer, error), org, name string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		name := name
		if name == "draft" {
			var err error
			if name, err = w.draft(ctx); err != nil {
				return nil, err
			}
		}
		return told(do(w.ops, ctx, admin.InvoiceRef{Org: w.named(org), Invoice: name}))
	}
}

// draft is the uid of the second organization's only draft without a payment.
func (w *walk) draft(ctx context.Context) (string, error) {
	var out strings.Builder
	if _, err := w.ops.ExportInvoices(ctx, admin.ExportRequest{Org: w.org.UID, Format: "ndjson", Statuses: []string{"DRAFT"}}, &out, nil); err != nil {
		return "", err
	}
	var inv struct{ UID string }
	if err := json.NewDecoder(strings.NewReader(out.String())).Decode(&inv); err != nil {
		return "", fmt.Errorf("no draft: %w", err)
	}
	return inv.UID, nil
}

func pay(org, name string, in admin.PayRequest) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org, in.Invoice = w.named(org), name
		return told(w.ops.PayInvoice(ctx, in))
	}
}

func cents(n int64) *int64 { return &n }

var careSteps = []step{
	{"CreateKey", "to take care of", 0, func(ctx context.Context, w *walk) (out any, err error) {
		w.care, err = w.ops.CreateKey(ctx, admin.KeyRequest{Org: w.orgs(ctx)[0].UID, Name: "care", User: "ADA@b.example"})
		return w.care, err
	}},
	{"CreateKey", "for a user of another organization", 4, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.CreateKey(ctx, admin.KeyRequest{Org: w.orgs(ctx)[1].UID, Name: "care", User: ada})
	}},
	{"SetKey", "all there is", 0, setKey(admin.KeyChange{Name: new("Care"), RateLimit: new("5/1m"), Networks: &[]string{"10.0.0.0/8"}})},
	{"SetKey", "back again", 0, setKey(admin.KeyChange{RateLimit: new("default"), Networks: &[]string{}})},
	{"SetKey", "nothing", 0, setKey(admin.KeyChange{})},
	{"SetKey", "long name", 4, setKey(admin.KeyChange{Name: new(strings.Repeat("n", 201))})},
	{"SetKey", "bad limit", 4, setKey(admin.KeyChange{RateLimit: new("many")})},
	{"SetKey", "bad network", 4, setKey(admin.KeyChange{Networks: &[]string{"10.0.0.1/8"}})},
	{"SetKey", "fewer scopes", 0, setKey(admin.KeyChange{Scopes: &[]string{"invoices:write", "parties:read"}})},
	{"SetKey", "part of a scope to write", 0, setKey(admin.KeyChange{Scopes: &[]string{"invoices:read", "parties:read"}})},
	{"SetKey", "more scopes", 4, setKey(admin.KeyChange{Scopes: &[]string{"invoices:write"}})},
	{"SetKey", "full access", 4, setKey(admin.KeyChange{Scopes: &[]string{"*"}})},
	{"SetKey", "no scope", 4, setKey(admin.KeyChange{Scopes: &[]string{}})},
	{"SetKey", "unknown scope", 4, setKey(admin.KeyChange{Scopes: &[]string{"invoices:delete"}})},
	{"SetKey", "an end", 0, setKey(admin.KeyChange{ExpiresInDays: days(90)})},
	{"SetKey", "a sooner end", 0, setKey(admin.KeyChange{ExpiresInDays: days(10)})},
	{"SetKey", "a later end", 4, setKey(admin.KeyChange{ExpiresInDays: days(11)})},
	{"SetKey", "no end", 4, setKey(admin.KeyChange{ExpiresAt: "never"})},
	{"SetKey", "an end that is over", 4, setKey(admin.KeyChange{ExpiresAt: "2001-01-01"})},
	{"SetKey", "days and a time", 4, setKey(admin.KeyChange{ExpiresInDays: days(1), ExpiresAt: "2999-01-01"})},
	{"SetKey", "no days", 4, setKey(admin.KeyChange{ExpiresInDays: days(0)})},
	{"SetKey", "absent", 3, setKey(admin.KeyChange{UID: absent})},
	{"SetKey", "a revoked one", 4, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.SetKey(ctx, admin.KeyChange{UID: w.key.UID, Name: new("x")})
	}},

	{"DisableUser", "by address", 0, user(admin.Ops.DisableUser, "Ada@B.example")},
	{"DisableUser", "again", 0, user(admin.Ops.DisableUser, ada)},
	{"DisableUser", "absent", 3, user(admin.Ops.DisableUser, absent)},
	{"DisableUser", "nobody", 3, user(admin.Ops.DisableUser, "nobody@b.example")},
	{"DisableUser", "neither uid nor address", 3, user(admin.Ops.DisableUser, "ada")},
	{"DisableUser", "the last owner", 4, user(admin.Ops.DisableUser, "o@second.example")},
	{"LinkUser", "of a disabled user", 4, link(ada)},
	{"CreateKey", "for a disabled user", 4, createKeyInFirst(admin.KeyRequest{Name: "n", User: ada})},
	{"RotateKey", "of a disabled user", 4, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.RotateKey(ctx, admin.RotateRequest{UID: w.care.UID})
	}},
	{"IdentifyKeys", "of a disabled user", 0, identify(false, "ours", strange)},
	{"EnableUser", "by address", 0, user(admin.Ops.EnableUser, ada)},
	{"EnableUser", "absent", 3, user(admin.Ops.EnableUser, absent)},
	{"LinkUser", "by address", 0, link("Ada@B.example")},
	{"LinkUser", "another", 0, link(ada)},
	{"LinkUser", "absent", 3, link(absent)},
	{"LinkUser", "nobody", 3, link("nobody@b.example")},
	{"SetRole", "of the last owner", 4, role("o@second.example", "viewer")},
	{"SetRole", "another", 0, role(ada, "admin")},
	{"SetRole", "the same", 0, role(ada, "admin")},
	{"SetRole", "unknown", 4, role(ada, "emperor")},
	{"SetRole", "absent", 3, role(absent, "admin")},

	{"SetPassword", "good", 0, setPassword(ada, password)},
	{"SetPassword", "short", 4, setPassword(ada, "short")},
	{"SetPassword", "tried first", 4, setPassword(ada, "Password123")},
	{"SetPassword", "absent", 3, setPassword(absent, password)},
	{"Sessions", "one", 0, sessions(admin.SessionsRef{})},
	{"Sessions", "of a user", 0, sessions(admin.SessionsRef{User: ada})},
	{"Sessions", "of another organization", 0, sessions(admin.SessionsRef{Org: "second"})},
	{"Sessions", "of nobody", 3, sessions(admin.SessionsRef{User: "nobody@b.example"})},
	{"Sessions", "of no organization", 3, sessions(admin.SessionsRef{Org: absent})},
	{"EndSession", "one", 0, endSession("")},
	{"EndSession", "absent", 3, endSession(absent)},
	{"EndSession", "malformed", 3, endSession("x")},
	{"EndSessions", "of a user", 0, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.EndSessions(ctx, admin.UserRef{User: ada})
	}},
	{"EndSessions", "of nobody", 3, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.EndSessions(ctx, admin.UserRef{User: absent})
	}},

	{"IdentifyKeys", "none of ours", 0, identify(true, strange, "junk", "")},
	{"IdentifyKeys", "too many", 4, identify(false, make([]string, 101)...)},
	{"IdentifyKeys", "and revoke", 0, identify(true, strange, "ours")},
	{"IdentifyKeys", "and revoke again", 0, identify(true, "ours")},

	{"Invoice", "by number", 0, invoice(admin.Ops.Invoice, "second", "A-1")},
	{"Invoice", "number of which organization", 2, invoice(admin.Ops.Invoice, "", "A-1")},
	{"Invoice", "no such number", 3, invoice(admin.Ops.Invoice, "second", "A-2")},
	{"Invoice", "absent", 3, invoice(admin.Ops.Invoice, "", absent)},
	{"Invoice", "absent in an organization", 3, invoice(admin.Ops.Invoice, "second", absent)},
	{"Invoice", "no organization", 3, invoice(admin.Ops.Invoice, absent, "A-1")},
	{"ImportInvoices", "to pay", 0, importOf(admin.ImportRequest{Org: "second", Format: "ndjson"}, 9,
		`{"party":{"name":"R&D <Ltd>"},"invoice_number":"B-1","currency":"KWD","line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":12345}]}`)},
	{"VoidInvoice", "a draft", 4, invoice(admin.Ops.VoidInvoice, "second", "B-1")},
	{"PayInvoice", "a draft", 4, pay("second", "B-1", admin.PayRequest{Amount: "1"})},
	{"SendInvoice", "by number", 0, invoice(admin.Ops.SendInvoice, "second", "B-1")},
	{"SendInvoice", "again", 0, invoice(admin.Ops.SendInvoice, "second", "B-1")},
	{"SendInvoice", "one that is paid", 4, invoice(admin.Ops.SendInvoice, "second", "A-1")},
	{"SendInvoice", "absent", 3, invoice(admin.Ops.SendInvoice, "", absent)},
	{"SendInvoice", "by uid, without naming the organization", 0, invoice(admin.Ops.SendInvoice, "", "draft")},
	{"PayInvoice", "part of it", 0, pay("second", "B-1", admin.PayRequest{Amount: "2.345", PaidAt: "2026-11-23", Reference: "wire <4711>"})},
	{"PayInvoice", "too many decimals", 4, pay("second", "B-1", admin.PayRequest{Amount: "2.3456"})},
	{"PayInvoice", "no amount", 4, pay("second", "B-1", admin.PayRequest{})},
	{"PayInvoice", "two amounts", 4, pay("second", "B-1", admin.PayRequest{Amount: "1", AmountCents: cents(1)})},
	{"PayInvoice", "nothing", 4, pay("second", "B-1", admin.PayRequest{AmountCents: cents(0)})},
	{"PayInvoice", "less than nothing", 4, pay("second", "B-1", admin.PayRequest{AmountCents: cents(-1)})},
	{"PayInvoice", "more than remains", 4, pay("second", "B-1", admin.PayRequest{Amount: "10.001"})},
	{"PayInvoice", "no time", 4, pay("second", "B-1", admin.PayRequest{Amount: "1", PaidAt: "soon"})},
	{"PayInvoice", "long reference", 4, pay("second", "B-1", admin.PayRequest{Amount: "1", Reference: strings.Repeat("r", 201)})},
	{"PayInvoice", "the rest", 0, pay("second", "B-1", admin.PayRequest{AmountCents: cents(10000)})},
	{"PayInvoice", "absent", 3, pay("second", "B-2", admin.PayRequest{Amount: "1"})},
	{"VoidInvoice", "a paid one", 4, invoice(admin.Ops.VoidInvoice, "second", "B-1")},
	{"VoidInvoice", "a sent one", 0, func(ctx context.Context, w *walk) (any, error) {
		if _, err := w.ops.ImportInvoices(ctx, admin.ImportRequest{Org: w.org.UID, ID: strings.Repeat("0a", 32), Format: "ndjson", Numbers: "keep"},
			strings.NewReader(`{"party":{"name":"Globex"},"invoice_number":"B-2","status":"SENT"}`), func(admin.RefusedLine) error { return nil }, nil); err != nil {
			return nil, err
		}
		return told(w.ops.VoidInvoice(ctx, admin.InvoiceRef{Org: w.org.UID, Invoice: "B-2"}))
	}},
	{"VoidInvoice", "absent", 3, invoice(admin.Ops.VoidInvoice, "second", "B-9")},
}

func createKeyInFirst(in admin.KeyRequest) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org = w.orgs(ctx)[0].UID
		return w.ops.CreateKey(ctx, in)
	}
}

func (w *walk) orgs(ctx context.Context) []admin.Organization {
	orgs, err := w.ops.Orgs(ctx)
	if err != nil || len(orgs) < 2 {
		panic(fmt.Sprintf("%d organizations, %v", len(orgs), err))
	}
	return orgs
}
