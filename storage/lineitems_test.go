package storage_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

func quantity(tb testing.TB, text string) *billing.Quantity {
	tb.Helper()
	q, err := billing.ParseQuantity(text)
	if err != nil {
		tb.Fatal(err)
	}
	return &q
}

func discount(sku string, price billing.Cents) billing.LinePatch {
	return billing.LinePatch{Type: new(billing.Discount), SKU: &sku, UnitPrice: &price}
}

func (b *books) addLines(id uid.ID, lines ...billing.LinePatch) ([]billing.LineItem, billing.Invoice) {
	b.Helper()
	added, inv, err := b.AddLines(b.Context(), b.by, id, lines, 0)
	if err != nil {
		b.Fatalf("add lines: %v", err)
	}
	return added, inv
}

func TestLinesAddUp(t *testing.T) {
	b := openBooks(t)
	inv := b.create(billing.InvoicePatch{Tax: new(billing.Cents(19))})
	added, got := b.addLines(inv.ID,
		billing.LinePatch{Type: new(billing.Product), SKU: new(" work "), Quantity: quantity(t, "7.5"), UnitPrice: new(billing.Cents(12001)), Currency: new(billing.Currency("USD"))},
		product("part", 250), discount("rebate", 1000))
	if len(added) != 3 || added[0].SKU != "work" || added[0].Total != 90008 || added[1].Quantity != billing.One {
		t.Errorf("added %+v", added)
	}
	if got.Subtotal != 90258 || got.Discount != 1000 || got.Total != 89277 || got.Version != 2 {
		t.Errorf("sums are %d − %d + %d = %d of version %d", got.Subtotal, got.Discount, got.Tax, got.Total, got.Version)
	}
	if stored := b.invoice(inv.ID); !reflect.DeepEqual(stored.Lines, added) || stored.Total != got.Total {
		t.Errorf("stored %+v, want %+v", stored.Lines, added)
	}
}

func TestOmittedPriceIsTheOneLastUsed(t *testing.T) {
	b := openBooks(t)
	first := b.create(billing.InvoicePatch{})
	bare := billing.LinePatch{Type: new(billing.Product), SKU: new("work")}
	_, _, err := b.AddLines(t.Context(), b.by, first.ID, []billing.LinePatch{bare}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [[0].unit_price: is required: no price is known yet for this sku]")

	lines, _ := b.addLines(first.ID, product("work", 100), bare)
	if lines[1].UnitPrice != 100 || lines[1].TypeID != lines[0].TypeID || lines[0].TypeID.IsZero() {
		t.Errorf("the second line is %+v, want it priced as %+v", lines[1], lines[0])
	}
	b.addLines(first.ID, product("work", 120))
	if lines, _ := b.addLines(b.create(billing.InvoicePatch{}).ID, bare); lines[0].UnitPrice != 120 {
		t.Errorf("another invoice got the price %d, want the last, 120", lines[0].UnitPrice)
	}
	euro := b.create(billing.InvoicePatch{Currency: new(billing.Currency("EUR"))})
	_, _, err = b.AddLines(t.Context(), b.by, euro.ID, []billing.LinePatch{bare}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [[0].unit_price: is required: no price is known yet for this sku]")
	_, _, err = b.AddLines(t.Context(), b.by, first.ID, []billing.LinePatch{{Type: new(billing.Discount), SKU: new("work")}}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [[0].unit_price: is required: no price is known yet for this sku]")
}

func TestRefusedLineRemembersNoPrice(t *testing.T) {
	b := openBooks(t)
	inv := b.create(billing.InvoicePatch{})
	_, _, err := b.AddLines(t.Context(), b.by, inv.ID, []billing.LinePatch{product("work", 100), {}}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [[1].context_type: is required [1].sku: must have 1 to 64 characters]")
	_, _, err = b.AddLines(t.Context(), b.by, inv.ID, []billing.LinePatch{{Type: new(billing.Product), SKU: new("work")}}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [[0].unit_price: is required: no price is known yet for this sku]")
}

func TestAddingLinesNamesWhatIsWrong(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	for name, c := range map[string]struct {
		line billing.LinePatch
		text string
	}{
		"type":      {billing.LinePatch{Type: new(billing.ContextType(9)), SKU: new("a"), UnitPrice: new(billing.Cents(1))}, "[1].context_type: is not known"},
		"long sku":  {product(strings.Repeat("s", 65), 1), "[1].sku: must have 1 to 64 characters"},
		"quantity":  {billing.LinePatch{Type: new(billing.Product), SKU: new("a"), UnitPrice: new(billing.Cents(1)), Quantity: new(billing.Quantity(-1))}, "[1].quantity: must be at least 0"},
		"price":     {product("a", -1), "[1].unit_price: must be 0 to 9007199254740991"},
		"currency":  {billing.LinePatch{Type: new(billing.Product), SKU: new("a"), UnitPrice: new(billing.Cents(1)), Currency: new(billing.Currency("EUR"))}, "[1].currency: must be that of the invoice, USD"},
		"product":   {billing.LinePatch{Type: new(billing.Product), SKU: new("a"), UnitPrice: new(billing.MaxCents), Quantity: quantity(t, "1.000001")}, "[1].quantity: times unit_price is above 9007199254740991"},
		"sum":       {product("a", billing.MaxCents), "line_items: their sum is above 9007199254740991"},
		"discounts": {discount("a", 102), "total_cents: would be negative: the discounts are larger than the rest"},
	} {
		_, _, err := b.AddLines(t.Context(), b.by, inv.ID, []billing.LinePatch{product("ok", 1), c.line}, 0)
		t.Run(name, func(t *testing.T) { refused(t, err, input.ErrInvalid, "invalid: ["+c.text+"]") })
	}
	_, _, err := b.AddLines(t.Context(), b.by, inv.ID, nil, 0)
	refused(t, err, input.ErrInvalid, "invalid: [line_items: at least one is required]")
	_, err = b.tryCreate(billing.InvoicePatch{Tax: new(billing.MaxCents), Lines: &[]billing.LinePatch{product("a", 1)}})
	refused(t, err, input.ErrInvalid, "invalid: [total_cents: would be above 9007199254740991]")
	_, err = b.tryCreate(billing.InvoicePatch{Lines: &[]billing.LinePatch{product("ok", 1), {SKU: new("a")}}})
	refused(t, err, input.ErrInvalid, "invalid: [line_items[1].context_type: is required]")
	if got := b.invoice(inv.ID); got.Version != inv.Version || len(got.Lines) != 1 {
		t.Errorf("refusals made version %d with %d lines", got.Version, len(got.Lines))
	}
}

func TestUpdatingLinesChangesOnlyWhatIsSent(t *testing.T) {
	b := openBooks(t)
	inv := b.create(billing.InvoicePatch{})
	lines, _ := b.addLines(inv.ID, product("a", 100), product("b", 200), product("c", 300))
	written, got, err := b.UpdateLines(t.Context(), b.by, inv.ID, []billing.LinePatch{
		{ID: lines[2].ID, Quantity: quantity(t, "2")},
		{ID: lines[0].ID, SKU: new("z"), Type: new(billing.Discount)},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(lines)
	want[2].Quantity, want[2].Total = *quantity(t, "2"), 600
	want[0].SKU, want[0].Type, want[0].TypeID = "z", billing.Discount, got.Lines[0].TypeID
	if !slices.Equal(got.Lines, want) || got.Total != 700 || want[0].TypeID == lines[0].TypeID {
		t.Errorf("lines are %+v, total %d\nwant %+v", got.Lines, got.Total, want)
	}
	if !slices.Equal(written, []billing.LineItem{want[2], want[0]}) {
		t.Errorf("answered %+v, want them in the order asked", written)
	}
	_, again, err := b.UpdateLines(t.Context(), b.by, inv.ID, []billing.LinePatch{
		{ID: lines[0].ID, SKU: new("z"), UnitPrice: new(billing.Cents(100)), Quantity: new(billing.One), Currency: new(billing.Currency("USD"))},
	}, 0)
	if err != nil || again.Version != got.Version {
		t.Errorf("sending the present values made version %d of %d, %v", again.Version, got.Version, err)
	}
}

func TestRepricedLineIsRemembered(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	_, _, err := b.UpdateLines(t.Context(), b.by, inv.ID, []billing.LinePatch{{ID: inv.Lines[0].ID, UnitPrice: new(billing.Cents(77))}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := b.addLines(inv.ID, billing.LinePatch{Type: new(billing.Product), SKU: new("work")})
	if lines[0].UnitPrice != 77 || lines[0].TypeID != inv.Lines[0].TypeID {
		t.Errorf("the new line is %+v, want the price 77 of the same entry", lines[0])
	}
}

func TestDeletedLinesAreGone(t *testing.T) {
	b := openBooks(t)
	inv := b.create(billing.InvoicePatch{})
	lines, _ := b.addLines(inv.ID, product("a", 1), product("b", 2), product("c", 4), discount("d", 3))
	got, err := b.DeleteLines(t.Context(), b.by, inv.ID, []uid.ID{lines[2].ID, lines[0].ID, lines[3].ID}, 0)
	if err != nil || len(got.Lines) != 1 || got.Lines[0] != lines[1] || got.Total != 2 || got.Discount != 0 {
		t.Errorf("left %+v of total %d, %v", got.Lines, got.Total, err)
	}
	b.addLines(inv.ID, discount("e", 2))
	_, err = b.DeleteLines(t.Context(), b.by, inv.ID, []uid.ID{lines[1].ID}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [total_cents: would be negative: the discounts are larger than the rest]")
	_, err = b.DeleteLines(t.Context(), b.by, inv.ID, nil, 0)
	refused(t, err, input.ErrInvalid, "invalid: [line_items: at least one is required]")
}

func TestUnknownAndRepeatedLinesAreNamed(t *testing.T) {
	b := openBooks(t)
	inv, other := b.draft(1), b.draft(1)
	mine, foreign := inv.Lines[0].ID, other.Lines[0].ID
	for _, c := range []struct {
		ids  []uid.ID
		kind error
		text string
	}{
		{[]uid.ID{mine, foreign, {}, mine}, storage.ErrNotFound, "not found: [[1]: not found [2]: not found]"},
		{[]uid.ID{mine, mine}, input.ErrInvalid, "invalid: [[1]: names the same line item again]"},
	} {
		var lines []billing.LinePatch
		for _, id := range c.ids {
			lines = append(lines, billing.LinePatch{ID: id, UnitPrice: new(billing.Cents(9))})
		}
		_, _, err := b.UpdateLines(t.Context(), b.by, inv.ID, lines, 0)
		refused(t, err, c.kind, c.text)
		_, err = b.DeleteLines(t.Context(), b.by, inv.ID, c.ids, 0)
		refused(t, err, c.kind, c.text)
	}
}

func TestLinesOfASentInvoiceAreLocked(t *testing.T) {
	b := openBooks(t)
	for _, status := range billing.Statuses() {
		inv := b.reading(status)
		line := inv.Lines[0].ID
		errs := []error{
			third(b.AddLines(t.Context(), b.by, inv.ID, []billing.LinePatch{product("a", 1)}, 0)),
			third(b.UpdateLines(t.Context(), b.by, inv.ID, []billing.LinePatch{{ID: line, UnitPrice: new(billing.Cents(9))}}, 0)),
			second(b.DeleteLines(t.Context(), b.by, inv.ID, []uid.ID{line}, 0)),
		}
		for i, err := range errs {
			if status == billing.Draft || status == billing.Approved || status == billing.Scheduled {
				if err != nil {
					t.Errorf("%s: call %d: %v", status, i, err)
				}
				continue
			}
			refused(t, err, billing.ErrLockedFields, "invoice is locked: [line_items]")
		}
	}
}

func TestInvoiceHasAtMostAThousandLines(t *testing.T) {
	b := openBooks(t)
	inv := b.create(billing.InvoicePatch{})
	hundred := make([]billing.LinePatch, 100)
	for batch := range 10 {
		for i := range hundred {
			hundred[i] = product(fmt.Sprintf("%s %d-%d", strings.Repeat("é", 50), batch, i), billing.Cents(i))
		}
		b.addLines(inv.ID, hundred...)
	}
	_, _, err := b.AddLines(t.Context(), b.by, inv.ID, hundred[:1], 0)
	refused(t, err, input.ErrInvalid, "invalid: [line_items: an invoice has at most 1000 lines]")

	long := b.invoice(inv.ID)
	if len(long.Lines) != 1000 || long.Total != 49500 {
		t.Fatalf("%d lines of %d, want 1000 of 49500", len(long.Lines), long.Total)
	}
	if items, _ := b.list(storage.InvoiceQuery{}); items[0].Total != 49500 {
		t.Errorf("the list has %+v", items)
	}
	var all []uid.ID
	for _, l := range long.Lines[5:] {
		all = append(all, l.ID)
	}
	short, err := b.DeleteLines(t.Context(), b.by, inv.ID, all, 0)
	if err != nil || !reflect.DeepEqual(b.invoice(inv.ID).Lines, long.Lines[:5]) || short.Total != 10 {
		t.Errorf("left %d lines of %d, %v", len(short.Lines), short.Total, err)
	}
}

// An invoice may have a thousand lines, all of one item or each of its own.
func TestThousandLinesFitWhateverTheirItems(t *testing.T) {
	b := openBooks(t)
	for _, sku := range []func(i int) string{
		func(i int) string { return fmt.Sprint("sku", i) },
		func(int) string { return "one" },
	} {
		lines := make([]billing.LinePatch, 1000)
		for i := range lines {
			lines[i] = product(sku(i), 1)
		}
		if inv := b.create(billing.InvoicePatch{Lines: &lines}); inv.Total != 1000 {
			t.Errorf("a thousand lines come to %d, want 1000", inv.Total)
		}
	}
}
