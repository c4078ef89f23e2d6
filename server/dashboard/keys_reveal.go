package dashboard

// origin is where this server is, as the browser sees it.
func (v *visit) origin() string {
	switch {
	case v.public != "":
		return v.public
	case v.req.Secure:
		return "https://" + v.req.Host
	}
	return "http://" + v.req.Host
}
