package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// link is a place in the chain: the hash of a line, which covers the line and everything before it.
type link [sha256.Size]byte

func (l link) String() string { return "sha256:" + hex.EncodeToString(l[:]) }

const (
	syncedMark = `,"synced":`
	hashMark   = `,"hash":"`
	sealEnd    = "\"}\n"
	sealLength = len(hashMark) + 2*sha256.Size + len(sealEnd)
)

// next is the hash of a line without its seal, behind prev.
func next(prev link, body []byte) link {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(body)
	var l link
	h.Sum(l[:0])
	return l
}

// seal appends a JSON object to out as a line of the journal: with how far the disk is known to have everything (synced; 0:
// nothing new is known), and with the hash over the line before and this one.
func seal(out, object []byte, prev link, synced int) ([]byte, link) {
	from := len(out)
	out = append(out, object[:len(object)-1]...) // without its closing brace
	if synced > 0 {
		out = strconv.AppendInt(append(out, syncedMark...), int64(synced), 10)
	}
	hash := next(prev, out[from:])
	out = append(out, hashMark...)
	out = hex.AppendEncode(out, hash[:])
	return append(out, sealEnd...), hash
}

// unseal takes a whole line apart, byte by byte: body is what is hashed, said is the hash that the line claims.
func unseal(line []byte) (body []byte, said link, ok bool) {
	if len(line) <= sealLength || !bytes.HasSuffix(line, []byte(sealEnd)) {
		return nil, link{}, false
	}
	body = line[:len(line)-sealLength]
	rest, ok := bytes.CutPrefix(line[len(body):], []byte(hashMark))
	if !ok {
		return nil, link{}, false
	}
	if _, err := hex.Decode(said[:], rest[:2*sha256.Size]); err != nil {
		return nil, link{}, false
	}
	return body, said, true
}

// syncedOf is what a line says of the disk: the number of the last line that was on it when this one was written; 0: nothing.
func syncedOf(body []byte) int {
	i := bytes.LastIndex(body, []byte(syncedMark))
	if i < 0 {
		return 0
	}
	n, err := strconv.Atoi(string(body[i+len(syncedMark):]))
	if err != nil {
		return 0
	}
	return n
}
