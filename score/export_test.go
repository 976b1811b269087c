package score

// What UnmarshalBinary bounds memory by.
const (
	BytesPerByte = bytesPerByte
	FewBytes     = fewBytes
)
