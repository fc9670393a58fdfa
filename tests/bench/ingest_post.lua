-- wrk script: POSTs MedicationRequests of about 3 KB, or transaction Bundles of them.
-- Each patient receives 40 orders.  Single orders come in turns of 1,000 patients under treatment at
-- a time, so that timelines grow as they do in life; a Bundle holds patients one after the other, as
-- an export does.  Arguments: path, bundle size (1: single resources), first patient number.
local thread_number = 0
function setup(thread)
    thread:set("thread_number", thread_number)
    thread_number = thread_number + 1
end

local drugs = {
    { "224905", "trastuzumab" }, { "56946", "paclitaxel" }, { "40048", "carboplatin" },
    { "72962", "docetaxel" }, { "12574", "gemcitabine" },
}
local head = [[{"resourceType":"MedicationRequest","meta":{"lastUpdated":"2026-01-05T08:00:00Z","profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-medicationrequest"]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Order for infusion in the day clinic, one cycle, see protocol sheet and pharmacy worksheet.</p></div>"},"identifier":[{"use":"official","system":"urn:oid:2.16.840.1.113883.19.5","value":"RX-]]
local middle = [["}],"status":"completed","intent":"order","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/medicationrequest-category","code":"outpatient","display":"Outpatient"}],"text":"Outpatient"}],"priority":"routine","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"]]
local after_code = [["}],"text":"]]
local after_text = [["},"subject":{"reference":"Patient/bench-]]
local after_patient = [[","display":"Bench"},"encounter":{"reference":"Encounter/e-1200341"},"authoredOn":"]]
local tail = [[","requester":{"reference":"Practitioner/onc-17","display":"Oncology, day clinic"},"recorder":{"reference":"Practitioner/onc-18"},"reasonCode":[{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"C50.911"}],"text":"breast cancer, right"}],"note":[{"text":"Dose according to body surface area; premedication as in the protocol; check blood count on day one."},{"text":"Second note of the pharmacy: prepared under laminar flow, label checked by two persons, light protected line."}],"dosageInstruction":[{"sequence":1,"text":"Infusion over 60 minutes on day 1 of a 21-day cycle","timing":{"repeat":{"count":1,"duration":60,"durationUnit":"min","frequency":1,"period":21,"periodUnit":"d"},"code":{"text":"every 21 days"}},"site":{"coding":[{"system":"http://snomed.info/sct","code":"14975008"}],"text":"Forearm"},"route":{"coding":[{"system":"http://snomed.info/sct","code":"47625008","display":"Intravenous route"}],"text":"intravenous"},"method":{"text":"infusion"},"doseAndRate":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/dose-rate-type","code":"calculated","display":"Calculated"}]},"doseQuantity":{"value":175.50,"unit":"mg/m2","system":"http://unitsofmeasure.org","code":"mg/m2"},"rateQuantity":{"value":250,"unit":"mL/h","system":"http://unitsofmeasure.org","code":"mL/h"}}]}],"dispenseRequest":{"validityPeriod":{"start":"2020-01-01","end":"2029-12-31"},"numberOfRepeatsAllowed":0,"quantity":{"value":1,"unit":"bag","system":"http://unitsofmeasure.org","code":"1"},"expectedSupplyDuration":{"value":21,"unit":"days","system":"http://unitsofmeasure.org","code":"d"},"performer":{"reference":"Organization/pharmacy-2","display":"Central pharmacy"}},"substitution":{"allowedBoolean":false,"reason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"FP","display":"formulary policy"}]}},"extension":[{"url":"http://example.org/fhir/StructureDefinition/cycle-number","valueInteger":3},{"url":"http://example.org/fhir/StructureDefinition/protocol-sheet","valueString":"Sheet 12, version 4, approved by the tumour board; infusion pump profile A; monitoring every fifteen minutes during the first hour"}]}]]

local counter, path, bundle, first = 0, "/fhir/MedicationRequest", 1, 0
function init(args)
    path = args[1] or path
    bundle = tonumber(args[2] or "1")
    first = tonumber(args[3] or "0") + thread_number * 10000000
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/fhir+json"
    wrk.headers["Prefer"] = "return=minimal"
end

local function resource()
    local n = counter
    counter = counter + 1
    local patient = first + n % 1000 + 1000 * math.floor(n / 40000)
    local order = math.floor(n / 1000) % 40
    if bundle > 1 then
        patient, order = first + math.floor(n / 40), n % 40
    end
    local drug = drugs[1 + math.floor(order / 8)]
    local date = string.format("20%02d-%02d-%02d", 20 + math.floor(order / 12), 1 + order % 12, 1 + order % 27)
    return head .. n .. middle .. drug[1] .. after_code .. drug[2] .. after_text .. patient ..
           after_patient .. date .. tail
end

function request()
    if bundle == 1 then
        return wrk.format(nil, path, nil, resource())
    end
    local parts = { '{"resourceType":"Bundle","type":"transaction","entry":[' }
    for i = 1, bundle do
        parts[#parts + 1] = (i > 1 and "," or "") .. '{"resource":' .. resource() ..
                            ',"request":{"method":"POST","url":"MedicationRequest"}}'
    end
    parts[#parts + 1] = "]}"
    return wrk.format(nil, path, nil, table.concat(parts))
end

local bad = 0
function response(status)
    if status ~= 200 and status ~= 201 then bad = bad + 1 end
end

function done(summary, latency, requests)
    io.write(string.format("RESULT requests=%d duration_us=%d p50_us=%d p99_us=%d errors=%d status_errors=%d\n",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        summary.errors.status))
end
