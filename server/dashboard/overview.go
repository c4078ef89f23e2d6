package dashboard

import "net/http"

func overview(v *visit) error { return v.show(http.StatusOK, "overview", "Overview", nil) }
