package archive

import "encoding/binary"

// Relink is what somebody without a key can make of any header and payloads: the
// last payload is the footer's.
func Relink(head []byte, payloads ...[]byte) []byte {
	c := newChain(nil)
	b := append(append([]byte{}, head...), c.follow(head)...)
	for i, p := range payloads {
		kind := byte(kindChunk)
		if i == len(payloads)-1 {
			kind = kindFooter
		}
		frame := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(p)))
		b = append(append(append(b, frame...), p...), c.follow(frame, p)...)
	}
	return b
}
