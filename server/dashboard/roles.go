package dashboard

import "exante/storage"

// roleWords are what each role may do, in a sentence.
var roleWords = []roleWord{
	{storage.Viewer, "Viewer", "Sees everything of the organization, and changes nothing but his own password and sessions."},
	{storage.Admin, "Admin", "Also creates, changes, rotates and revokes API keys, and works on invoices."},
	{storage.Owner, "Owner", "Also invites and disables users, gives roles, and changes the organization."},
}

type roleWord struct {
	Role     storage.Role
	Name, Is string
}

// roleName is a role as a word: "Owner".
func roleName(r storage.Role) string {
	for _, w := range roleWords {
		if w.Role == r {
			return w.Name
		}
	}
	return string(r)
}
