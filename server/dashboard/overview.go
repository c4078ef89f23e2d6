package dashboard

import (
	"net/http"

	"exante/storage"
)

// overviewPage is what an owner wants to see in the morning.
type overviewPage struct {
	Steps    []firstStep // nil: all are done
	Keys     keysSummary
	Activity activity // of the keys that were used last
	Money    []moneyFact
	Deeds    []deed
}

// firstStep is something to do when there is nothing yet.
type firstStep struct {
	Done       bool
	Name, Text string
	Code       string // to type; "": nothing
	Path, Link string // where it is done; "": not here
}

const (
	overviewDeeds = 10
	overviewReach = 1000 // records of the log, those of others too
)

func overview(v *visit) error {
	p := overviewPage{Keys: v.summarize()}
	var err error
	if p.Activity, err = v.lastDayOf(p.Keys.latest); err != nil {
		return err
	}
	sums, own, err := v.store.InvoiceSums(v.req.Context, v.org.ID)
	if err != nil {
		return err
	}
	p.Money = moneyFacts(sums, own)
	p.Steps = v.firstSteps(p.Keys, len(sums) > 0)
	found, err := v.store.AuditBack(v.req.Context, storage.AuditQuery{OrgID: v.org.ID, Limit: overviewDeeds, Reach: overviewReach})
	if err != nil {
		return err
	}
	if p.Deeds, err = v.deeds(found.Entries); err != nil {
		return err
	}
	return v.show(http.StatusOK, "overview", "Overview", p)
}

// firstSteps are what leads to a first invoice; nil once that is there. Who may not
// make a key is told who may.
func (v *visit) firstSteps(keys keysSummary, invoiced bool) []firstStep {
	if keys.All > 0 && keys.Used && invoiced {
		return nil
	}
	create := firstStep{Done: keys.All > 0, Name: "Create an API key", Text: "A program shows its key with each request.", Path: "/settings/api-keys/new", Link: "New API key"}
	if !v.may(admins) {
		create.Text, create.Path = "An admin of your organization can create one.", ""
	}
	return []firstStep{
		create,
		{Done: keys.Used, Name: "Call the API with it", Text: "This tells which key it is:", Code: `curl -H "Authorization: Bearer $EXANTE_API_KEY" ` + v.origin() + "/api/api-keys/current"},
		{Done: invoiced, Name: "Create an invoice", Text: "With a POST to /api/invoices.", Path: "/docs", Link: "API reference"},
	}
}
