package admin

// Health is whether requests should be sent to a server.
type Health struct {
	Healthy bool   `json:"healthy"`
	State   string `json:"state"`
	Reason  string `json:"reason"` // "" when healthy

	// Degraded names what a server lacks that takes requests all the same.
	Degraded []string `json:"degraded"`
}

// Status is all that an operator may want to know of a running server.
type Status struct {
	Health
	Notices []string `json:"notices"` // what to do something about

	Version       string   `json:"version"`
	Environment   string   `json:"environment"`
	PID           int      `json:"pid"`
	StartedAt     string   `json:"started_at"`
	UptimeSeconds int64    `json:"uptime_seconds"`
	Listen        []string `json:"listen"`
	TLS           bool     `json:"tls"`
	CertificateTo *string  `json:"certificate_expires_at"`

	Data       DataStatus        `json:"data"`
	Backups    *BackupStatus     `json:"backups"` // null: none is scheduled
	Keys       KeyStatus         `json:"keys"`
	Requests   map[string]uint64 `json:"requests"` // since the start, by class of status
	Refusals   map[string]uint64 `json:"refusals"` // since the start, by reason
	InFlight   int64             `json:"requests_in_flight"`
	Conns      int64             `json:"connections"`
	Bodies     CacheStatus       `json:"body_cache"`
	Verified   CacheStatus       `json:"verified_cache"`
	Argon2     GateStatus        `json:"argon2"`
	LogDropped uint64            `json:"log_lines_dropped"`
	HeapBytes  uint64            `json:"heap_bytes"`
	RSSBytes   uint64            `json:"resident_bytes"`
}

// DataStatus is what is in the store and on the disk. Sizes are in blocks taken.
type DataStatus struct {
	Dir           string `json:"dir"`
	Bytes         int64  `json:"bytes"`
	TableBytes    int64  `json:"table_bytes"`
	LogBytes      int64  `json:"log_bytes"`
	FreeBytes     uint64 `json:"free_bytes"`
	Organizations uint64 `json:"organizations"`
	Users         uint64 `json:"users"`
	Invoices      uint64 `json:"invoices"`
	Sequence      uint64 `json:"sequence"`
	AuditRecords  uint64 `json:"audit_records"`
}

// KeyStatus counts API keys by state.
type KeyStatus struct {
	Active           int `json:"active"`
	Retiring         int `json:"retiring"`
	Expired          int `json:"expired"`
	Revoked          int `json:"revoked"`
	ExpiringIn7Days  int `json:"expiring_in_7_days"`
	ExpiringIn30Days int `json:"expiring_in_30_days"`
}

// CacheStatus is how often a cache was asked since the start, and what it holds.
type CacheStatus struct {
	Hits   uint64 `json:"hits"`
	Misses uint64 `json:"misses"`
	Bytes  int64  `json:"bytes"`
}

// GateStatus is how busy argon2id is.
type GateStatus struct {
	Busy    int    `json:"busy"`
	Slots   int    `json:"slots"`
	Waiting int    `json:"waiting"`
	Queue   int    `json:"queue"`
	Runs    uint64 `json:"computations"`
}
