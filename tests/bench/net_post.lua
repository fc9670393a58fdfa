-- For wrk: POST of about the size of a MedicationRequest.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/fhir+json"
wrk.body = string.rep("x", 3000)
