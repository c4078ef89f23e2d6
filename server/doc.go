// Package server is the HTTP face: it turns requests into one call of the store
// each, and answers and errors into JSON.
//
// # How a request travels
//
//  1. fasthttp parses the message. What it cannot parse never becomes a request;
//     refuseUnparsed answers it.
//  2. receive (middleware.go) does what holds for every request: it gives it an
//     id, writes the fixed headers, refuses framing that two parsers could read
//     differently and encoded bodies, and recovers panics.
//     A request that asks before it sends its body (Expect) passes the checks that
//     follow before it is told to (body.go).
//  3. Fiber matches the path. Every route stands in the table of routes.go with
//     its method, path, scope and handler; guard (admission.go) puts the checks of
//     that row in front of the handler: host, media type, then authentication,
//     network, scope and limit in one call of auth.Authenticator.Admit.
//  4. The handler decodes, makes one call of the store, and answers. Each lives in
//     the file of its resource. What it reads from the wire goes through fields
//     (bodies) or query (parameters), which name every mistake at once; what it
//     writes goes through jsonWriter, whose shapes stand in wire.go and wire_*.go.
//  5. An error simply returns. fail (errors.go) finds its row in the answers table
//     and sends it; an error without a row is ours, so it becomes a 500 with a
//     fixed text and one line in the log.
//  6. The outcome is counted for its route (traffic.go) and its key and, if that is
//     set, logged (requestlog.go): the route, never a header, a query, a body or a
//     token.
//
// # To add a route
//
// Write the row in routes.go and the handler in the file of its resource, and
// describe it in openapi/openapi.json: what is not in there, of a route or of any
// answer in any test, fails a test. So does a row without a scope, and a path with
// a uid in it that answers another organization's record in any way but as absent.
// A POST is carried out once for one Idempotency-Key: its handler describes the
// answer as a receipt and hands what post makes of it to the store
// (idempotency.go); a POST that is carried out twice fails a test.
//
// # What is promised
//
// Memory and time are bounded for any input: a body is at most 1 MiB and is never
// decompressed, nesting ends at 32, lists and problems have a maximum, and every
// connection has deadlines. Files (form.go, download.go) are longer and take
// longer: they are never whole in memory, and have a pace to keep (transfer.go). Records of another organization answer byte for byte
// as absent ones, but for the request id.
package server
