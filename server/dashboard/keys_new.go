package dashboard

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/input"
)

const (
	never       = "never" // values of the field expires_in_days, beside numbers of days
	onDate      = "date"
	maxNetworks = 4 << 10 // bytes of the field
)

// usualDays are the lives of a key that are offered, in days. The second is chosen
// where the settings say nothing: who is asked should have to ask for more.
var usualDays = []int{30, 90, 365}

// newKeyPage is the form for a new key.
type newKeyPage struct {
	Form    *form
	Presets []preset
	Scopes  []scopeChoice
	Days    []int
	Max     int    // days that a key lives at most
	LastDay string // that may be chosen, as a date field has it
	Forever bool   // it may be chosen that the key never ends
	Default string // limits of a key that is given none
	Confirm bool
}

func newKey(v *visit) error {
	f := v.blank()
	f.set("access", "read")
	days, chosen := v.days()
	f.set("expires_in_days", strconv.Itoa(chosen))
	return v.askKey(http.StatusOK, f, days)
}

// days are the lives that may be chosen, in days, and the one that is.
func (v *visit) days() (days []int, chosen int) {
	chosen = usualDays[1]
	if v.DefaultExpiryDays > 0 {
		chosen = v.DefaultExpiryDays
	}
	chosen = min(chosen, v.MaxExpiryDays)
	days = append(slices.DeleteFunc(slices.Clone(usualDays), func(n int) bool { return n > v.MaxExpiryDays }), chosen)
	slices.Sort(days)
	return slices.Compact(days), chosen
}

func (v *visit) askKey(status int, f *form, days []int) error {
	return v.show(status, "key_new", "New API key", newKeyPage{
		Form: f.nameOnce(), Presets: presets, Scopes: scopeChoices(auth.FullAccess, 0), Days: days, Max: v.MaxExpiryDays,
		LastDay: v.now.AddDate(0, 0, v.MaxExpiryDays-1).UTC().Format(time.DateOnly), Forever: v.store.LastExpiry(v.now).IsZero(),
		Default: v.defaultLimits(), Confirm: v.mustConfirm(),
	})
}

// defaultLimits are those of a key that is given none.
func (v *visit) defaultLimits() string {
	return strings.ReplaceAll(v.Auth.LimitsOf(&auth.Key{}).String(), ",", ", ")
}

func createKey(v *visit) error {
	f := v.form()
	draft := storage.KeyDraft{
		Name: f.name(), Scopes: scopesOf(f), Networks: f.networks(), Limits: f.limits(), ExpiresAt: v.expiry(f),
	}
	f.checkOnce()
	var (
		k     auth.Key
		token auth.Token
	)
	err := v.confirm(f)
	if err == nil && f.ok() {
		k, token, err = v.store.CreateKey(v.req.Context, v.by(), draft, v.onceKey(f))
	}
	if before := v.madeBefore(err); before != nil {
		return v.show(http.StatusOK, "key_before", "API key", keyBefore{Key: before})
	}
	if err = f.take(err, "name", "scopes", "allowed_cidrs", "rate_limits", "expires_in_days"); err != nil {
		return err
	}
	if !f.ok() {
		days, _ := v.days()
		return v.askKey(http.StatusUnprocessableEntity, f, days)
	}
	return v.reveal(&k, token, nil)
}

// name reads the field of a name.
func (f *form) name() string {
	name, reason := input.Text(f.value("name"), 1, 200)
	f.refuse("name", sentence(reason))
	return name
}

// networks reads a field of networks, separated by commas, blanks or line breaks.
func (f *form) networks() []netip.Prefix {
	text := f.raw("allowed_cidrs")
	if len(text) > maxNetworks {
		f.refuse("allowed_cidrs", "That is too long: 100 networks at most.")
		return nil
	}
	nets, err := auth.ParseNetworks(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", ;\t\r\n", r) }))
	if err != nil {
		f.refuse("allowed_cidrs", "Write networks such as 192.0.2.0/24 or 2001:db8::/32, the bits behind the slash zero. One address alone is 192.0.2.7/32.")
	}
	return nets
}

// limits reads a field of rate limits; none: the default.
func (f *form) limits() auth.Limits {
	text := f.value("rate_limits")
	if text == "" {
		return nil
	}
	limits, err := auth.ParseLimits(text)
	if err != nil {
		f.refuse("rate_limits", "Write a number of requests, a slash and a time, up to four of them with commas: 600/1m, 20000/1d.")
	}
	return limits
}

// expiry reads when a key is to end; zero: never.
func (v *visit) expiry(f *form) time.Time {
	switch chosen := f.value("expires_in_days"); chosen {
	case never:
		return time.Time{}
	case onDate:
		return v.expiresOn(f)
	default:
		n, err := strconv.Atoi(chosen)
		if err != nil || n < 1 || n > v.MaxExpiryDays {
			f.refuse("expires_in_days", fmt.Sprintf("Choose when it ends: at most %d days from now.", v.MaxExpiryDays))
			return time.Time{}
		}
		return v.now.Add(time.Duration(n) * day)
	}
}

// expiresOn reads the last whole day of a key, in UTC.
func (v *visit) expiresOn(f *form) time.Time {
	date, err := time.Parse(time.DateOnly, f.value("expires_on"))
	end := date.Add(day)
	switch {
	case err != nil:
		f.refuse("expires_on", "Write a date such as "+v.now.Add(90*day).UTC().Format(time.DateOnly)+".")
	case !end.After(v.now):
		f.refuse("expires_on", "That day is over.")
	case end.After(v.now.AddDate(0, 0, v.MaxExpiryDays)):
		f.refuse("expires_on", fmt.Sprintf("That is more than %d days from now.", v.MaxExpiryDays))
	}
	return end
}
