package billing_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"exante/storage/billing"
)

func TestParseQuantityIsExact(t *testing.T) {
	for _, c := range []struct {
		in   string
		want billing.Quantity
	}{
		{"0", 0}, {"-0", 0}, {"0.000000", 0}, {"0e999999999999", 0}, {"-0.0e-5", 0},
		{"1", 1_000_000}, {"7.5", 7_500_000}, {"0.000001", 1}, {"0.1", 100_000},
		{"1.50", 1_500_000}, {"15e-1", 1_500_000}, {"1.5000000", 1_500_000}, {"1.5E+3", 1_500_000_000},
		{"1e-6", 1}, {"10e-7", 1}, {"1e12", 1_000_000_000_000_000_000},
		{"9223372036854.775807", math.MaxInt64}, {"9223372036854775807e-6", math.MaxInt64},
	} {
		if got, err := billing.ParseQuantity(c.in); err != nil || got != c.want {
			t.Errorf("ParseQuantity(%q) = %d, %v, want %d", c.in, got, err, c.want)
		}
	}
}

func TestParseQuantityRefusesWhatItCannotHold(t *testing.T) {
	for _, in := range []string{
		"", "-", ".", "1.", ".5", "+1", "a", "1a", "1e", "1e+", "e5", "0e", "0e+", "0ex", "0e+-1", "--1", "-1", "-0.000001", "-1e2",
		"0.0000001", "1.0000001", "1e-7", "15e-7", "1e13", "9223372036854.775808", "1e999999999999", "1e-999999999999",
		"1e2147483647", "1e-2147483648", "1 ", " 1", "1,5", "1_000", "0x10", "NaN", "Infinity", "١", "1e5e5",
		strings.Repeat("9", 1000),
	} {
		if got, err := billing.ParseQuantity(in); !errors.Is(err, billing.ErrBadQuantity) {
			t.Errorf("ParseQuantity(%q) = %d, %v, want ErrBadQuantity", in, got, err)
		}
	}
	_, err := billing.ParseQuantity("-1")
	if want := "not a number of at least 0 with at most 6 decimals"; err.Error() != want {
		t.Errorf("the error reads %q, want %q", err, want)
	}
}

func TestQuantityPrintsShortestAndReadsBack(t *testing.T) {
	for q, want := range map[billing.Quantity]string{
		0: "0", 1: "0.000001", 1_000_000: "1", 2_500_000: "2.5", 1_000_010: "1.00001",
		math.MaxInt64: "9223372036854.775807",
	} {
		if got := q.String(); got != want {
			t.Errorf("Quantity(%d).String() = %q, want %q", q, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		q := billing.Quantity(rapid.Int64Min(0).Draw(t, "q"))
		if got, err := billing.ParseQuantity(q.String()); err != nil || got != q {
			t.Fatalf("ParseQuantity(%q) = %d, %v, want %d", q.String(), got, err, q)
		}
	})
}

func FuzzParseQuantity(f *testing.F) {
	for _, seed := range []string{"0", "1.5", "15e-1", "-0", "1e12", "0.0000001", "9223372036854.775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := billing.ParseQuantity(text)
		if err != nil {
			return
		}
		if len(text) > 100 || strings.ContainsAny(text, "eE") {
			return // big.Rat would build the power of ten
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || want.Cmp(big.NewRat(int64(q), 1_000_000)) != 0 {
			t.Fatalf("ParseQuantity(%q) = %s", text, q)
		}
	})
}

func TestLineTotalRoundsHalfToEven(t *testing.T) {
	for _, c := range []struct {
		quantity string
		price    billing.Cents
		want     billing.Cents
	}{
		{"0", 12000, 0}, {"1", 12000, 12000}, {"7.5", 12000, 90000},
		{"0.5", 1, 0}, {"1.5", 1, 2}, {"2.5", 1, 2}, {"3.5", 1, 4}, {"0.500001", 1, 1}, {"2.499999", 1, 2},
		{"0.333333", 100, 33}, {"0.000001", 500_000, 0}, {"0.000001", 500_001, 1}, {"0.000003", 500_000, 2},
		{"1", billing.MaxCents, billing.MaxCents}, {"0.000001", billing.MaxCents, 9007199255},
	} {
		q, err := billing.ParseQuantity(c.quantity)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := billing.LineTotal(q, c.price); !ok || got != c.want {
			t.Errorf("LineTotal(%s, %d) = %d, %v, want %d", c.quantity, c.price, got, ok, c.want)
		}
	}
}

// The reference works in unbounded fractions.
func TestLineTotalAgreesWithExactFractions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.Int64Min(0).Draw(t, "millionths")
		price := rapid.Int64Range(0, int64(billing.MaxCents)).Draw(t, "price")
		if rapid.Bool().Draw(t, "small") {
			q, price = q%10_000_000, price%1000*500_000
		}
		product := new(big.Int).Mul(big.NewInt(q), big.NewInt(price))
		want, rest := new(big.Int).QuoRem(product, big.NewInt(1_000_000), new(big.Int))
		if half := rest.Cmp(big.NewInt(500_000)); half > 0 || half == 0 && want.Bit(0) == 1 {
			want.Add(want, big.NewInt(1))
		}
		fits := want.Cmp(big.NewInt(int64(billing.MaxCents))) <= 0
		got, ok := billing.LineTotal(billing.Quantity(q), billing.Cents(price))
		if ok != fits || ok && int64(got) != want.Int64() {
			t.Fatalf("LineTotal(%d, %d) = %d, %v, want %s, %v", q, price, got, ok, want, fits)
		}
	})
}

func TestParseCurrencyTakesActiveCodesWithAMinorUnit(t *testing.T) {
	for _, in := range []string{"USD", "EUR", "JPY", "KWD", "CHF", "XOF", "AED", "ZWG"} {
		if c, ok := billing.ParseCurrency(in); !ok || string(c) != in {
			t.Errorf("ParseCurrency(%q) = %q, %v, want it", in, c, ok)
		}
	}
	for _, in := range []string{"", "usd", "US", "USDX", "D A", " US", "SDE", "DEM", "XAU", "XXX", "XTS", "ABC", "ＵSD"} {
		if c, ok := billing.ParseCurrency(in); ok {
			t.Errorf("ParseCurrency(%q) = %q, want it refused", in, c)
		}
	}
}
