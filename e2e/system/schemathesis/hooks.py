# Parts of resumable uploads are bytes under a type that schemathesis does not know.
import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
