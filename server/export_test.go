package server

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// Patterns are "METHOD path" of every route, for the tests that visit them all.
func Patterns() (list []string) {
	for _, r := range routes() {
		list = append(list, r.method+" "+r.path)
	}
	return list
}

// OnceID is what the store knows a request with an Idempotency-Key by.
func OnceID(owner uid.ID, method, path, key string) storage.OnceID {
	return onceID(owner, method, path, []byte(key))
}

// BareConfig is the configuration of a Server's Fiber app, for an app beside it
// that does no work.
func (s *Server) BareConfig() fiber.Config {
	c := s.fiberConfig()
	c.ErrorHandler = nil
	return c
}

// Tune is what a Server sets on fasthttp beyond that.
func Tune(app *fiber.App) { app.Server().SecureErrorLogMessage = true }

// ReadInvoice decodes the body of a new invoice.
func ReadInvoice(body []byte) error {
	_, err := readInvoice(body, true)
	return err
}

// Render encodes the answer to a read of one invoice.
func (s *Server) Render(inv *billing.Invoice, now time.Time) ([]byte, error) {
	return s.render(inv, now)
}
