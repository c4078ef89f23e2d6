package admin

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// namesWrittenBy lists the JSON names that a function of the server writes, in
// order, those of the functions that it calls included.
func namesWrittenBy(t *testing.T, file *ast.File, function string) []string {
	t.Helper()
	var names []string
	ast.Inspect(file.Scope.Lookup(function).Decl.(*ast.FuncDecl), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			if strings.HasPrefix(f.Name, "write") {
				names = append(names, namesWrittenBy(t, file, f.Name)...)
			}
		case *ast.SelectorExpr:
			if lit, ok := firstArgument(call); ok && lit.Kind == token.STRING {
				name, _ := strconv.Unquote(lit.Value)
				names = append(names, name)
			}
		}
		return true
	})
	return slices.Compact(names) // a name in both branches of an if
}

func firstArgument(call *ast.CallExpr) (*ast.BasicLit, bool) {
	if len(call.Args) == 0 {
		return nil, false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	return lit, ok
}

// The server and the shell give a key one shape, field by field, in one order.
// They may not import each other, so the server's is read from its source.
func TestKeyHasTheShapeOfTheAPI(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../server/wire_key.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	api := namesWrittenBy(t, file, "writeNewKey")
	shell := jsonNames(reflect.TypeFor[NewKey]())
	if len(api) != 18 || !slices.Equal(api, shell) {
		t.Errorf("the API writes %v, the shell %v", api, shell)
	}
}

func jsonNames(typ reflect.Type) []string {
	var names []string
	for f := range typ.Fields() {
		if f.Anonymous {
			names = append(names, jsonNames(f.Type)...)
		} else {
			names = append(names, f.Tag.Get("json"))
		}
	}
	return names
}

func TestKeyShapeHasEveryField(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 23, hour, 30, 0, 999, time.FixedZone("", 3600)) }
	key := auth.Key{
		ID: uid.ID{1}, OrgID: uid.ID{2}, UserID: uid.ID{3}, Name: "n", Snippet: "ex_live_...9AbC", Scopes: 1 << auth.InvoicesRead,
		Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, CreatedAt: at(1), UpdatedAt: at(2), ExpiresAt: at(3),
		RevokedAt: at(4), RetiresAt: at(5), RotatedTo: uid.ID{4}, RotatedFrom: uid.ID{5},
	}
	got, err := json.Marshal(keyShape(&key, auth.Limits{{Limit: 600, Every: time.Minute}}, at(6), at(7)))
	want := `{"uid":"01000000-0000-0000-0000-000000000000","name":"n","key_snippet":"ex_live_...9AbC",` +
		`"user_uid":"03000000-0000-0000-0000-000000000000","organization_uid":"02000000-0000-0000-0000-000000000000",` +
		`"scopes":["invoices:read"],"last_used_at":"2026-11-23T05:30:00Z","expires_at":"2026-11-23T02:30:00Z",` +
		`"revoked_at":"2026-11-23T03:30:00Z","created_at":"2026-11-23T00:30:00Z","updated_at":"2026-11-23T01:30:00Z","state":"revoked",` +
		`"rotated_to_uid":"04000000-0000-0000-0000-000000000000","rotated_from_uid":"05000000-0000-0000-0000-000000000000",` +
		`"rate_limits":["600/1m"],"allowed_cidrs":["10.0.0.0/8"],"retires_at":"2026-11-23T04:30:00Z"}`
	if err != nil || string(got) != want {
		t.Errorf("shape = %s, %v, want %s", got, err, want)
	}
	got, err = json.Marshal(keyShape(&auth.Key{ID: uid.ID{1}, OrgID: uid.ID{2}, Scopes: auth.FullAccess}, nil, time.Time{}, at(7)))
	for _, null := range []string{"user_uid", "last_used_at", "expires_at", "revoked_at", "rotated_to_uid", "rotated_from_uid", "allowed_cidrs", "retires_at"} {
		if !strings.Contains(string(got), `"`+null+`":null`) || err != nil {
			t.Errorf("%s of a bare key is not null: %s, %v", null, got, err)
		}
	}
}
