package admin

import "io"

// Report gives tests the words and the exit code of an error.
func Report(w io.Writer, err error) int { return report(w, err) }
