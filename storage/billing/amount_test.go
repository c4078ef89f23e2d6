package billing_test

import (
	"testing"

	"pgregory.net/rapid"

	"exante/storage/billing"
)

func TestAmountsHaveTheDecimalsOfTheirCurrency(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency billing.Currency
		want     billing.Cents
		reason   string
	}{
		{"123.45", "USD", 12345, ""},
		{"123", "USD", 12300, ""},
		{"123.4", "EUR", 12340, ""},
		{"0.01", "EUR", 1, ""},
		{"0", "EUR", 0, ""},
		{"000000000000000000000000012.50", "EUR", 1250, ""},
		{"123.456", "USD", 0, "has more than the 2 decimals of USD"},
		{"500", "JPY", 500, ""},
		{"500.0", "JPY", 0, "has more than the 0 decimals of JPY"},
		{"1.234", "KWD", 1234, ""},
		{"1.2345", "CLF", 12345, ""},
		{"0.1", "USD", 10, ""}, // three of which are 30, as no float has it
		{"90071992547409.91", "USD", billing.MaxCents, ""},
		{"90071992547409.92", "USD", 0, "is more than 90071992547409.91"},
		{"99999999999999999999999", "JPY", 0, "is more than 9007199254740991"},
		{"", "USD", 0, "must be a number such as 123.45"},
		{".5", "USD", 0, "must be a number such as 123.45"},
		{"5.", "USD", 0, "must be a number such as 123.45"},
		{"-5", "USD", 0, "must be a number such as 123.45"},
		{"+5", "USD", 0, "must be a number such as 123.45"},
		{"1e3", "USD", 0, "must be a number such as 123.45"},
		{"1,50", "EUR", 0, "must be a number such as 123.45"},
		{"1 000", "EUR", 0, "must be a number such as 123.45"},
		{"x", "JPY", 0, "must be a number such as 12345"},
		{"١٢", "USD", 0, "must be a number such as 123.45"},
	} {
		if got, reason := billing.ParseAmount(c.text, c.currency); got != c.want || reason != c.reason {
			t.Errorf("ParseAmount(%q, %s) = %d, %q, want %d, %q", c.text, c.currency, got, reason, c.want, c.reason)
		}
	}
	if got := billing.Cents(-5).Format("USD"); got != "-0.05" {
		t.Errorf("-5 reads %s", got)
	}
}

func TestAmountComesBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SampledFrom([]billing.Currency{"USD", "JPY", "KWD", "CLF"}).Draw(t, "currency")
		c := billing.Cents(rapid.Int64Range(0, int64(billing.MaxCents)).Draw(t, "cents"))
		if got, reason := billing.ParseAmount(c.Format(in), in); got != c || reason != "" {
			t.Fatalf("%d in %s is written %s and read %d, %s", c, in, c.Format(in), got, reason)
		}
	})
}
