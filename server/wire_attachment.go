package server

import "exante/storage"

func writeAttachments(w *jsonWriter, items []storage.Attachment, write func(*jsonWriter, *storage.Attachment)) {
	w.open('[')
	for i := range items {
		write(w, &items[i])
	}
	w.close(']')
}

// writeAttachment is an attachment; link opens what it holds.
func writeAttachment(w *jsonWriter, a *storage.Attachment, link string) {
	w.open('{')
	w.id("uid", a.ID)
	w.text("filename", a.Name)
	w.text("content_type", a.ContentType)
	w.int("file_size", a.Size)
	w.id("uploaded_by", a.UploadedBy)
	w.time("created_on", a.CreatedAt)
	w.null("description")
	w.bool("is_public", false)
	w.id("invoice_uid", a.InvoiceID)
	w.text("presigned_url", link)
	w.close('}')
}
