package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"exante/storage"
	"exante/storage/billing"
)

// organizationPage is the organization, how much it has, and a form to change it.
type organizationPage struct {
	Org     storage.Organization
	Figures storage.OrgFigures
	Form    *form
}

func organization(v *visit) error {
	f := v.blank()
	f.set("name", v.org.Name)
	f.set("currency", string(v.org.Currency))
	return v.showOrganization(http.StatusOK, f)
}

func (v *visit) showOrganization(status int, f *form) error {
	figures, err := v.store.OrgFigures(v.req.Context, v.org.ID)
	if err != nil {
		return err
	}
	return v.show(status, "organization", "Organization", organizationPage{v.org, figures, f})
}

func changeOrganization(v *visit) error {
	f := v.form()
	name := f.value("name")
	currency, ok := billing.ParseCurrency(strings.ToUpper(f.value("currency")))
	if !ok {
		f.refuse("currency", "This is no active ISO 4217 code, such as USD or EUR.")
	}
	version, err := strconv.ParseUint(f.value("version"), 10, 64)
	if err != nil {
		f.general = append(f.general, "Open the page again: this form is not whole.")
	}
	if f.ok() {
		_, err := v.store.UpdateOrg(v.req.Context, v.by(), storage.OrgPatch{Name: &name, Currency: &currency}, version)
		if errors.Is(err, storage.ErrConflict) {
			f.general = append(f.general, "Somebody else has changed this meanwhile. What it is now stands beside: change it again if you still want to.")
			err = nil
		}
		if err = f.take(err, "name", "currency"); err != nil {
			return err
		}
	}
	if !f.ok() {
		return v.showOrganization(http.StatusUnprocessableEntity, f)
	}
	v.say("organization-changed")
	return v.goTo("/settings/organization")
}
