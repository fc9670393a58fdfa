/* fhir/read_take.h -- what a row of the table of paths may do with the value it meets. */
#pragma once

#include "fhir/read_int.h"

/* Into the member at row->offset: of the draft (text), or of the event. */
take_fn take_text, take_first_text, take_bool, take_false, take_present;
take_fn take_date, take_earliest, take_latest, take_longest;
take_fn take_event_concept, take_event_reference, take_event_reference_once;
/* Elements with a meaning of their own. */
take_fn take_type, take_id, take_implicit_rules, take_subject, take_subject_identifier;
take_fn take_own_identifier, take_group_identifier, take_coding, take_code;
take_fn take_medication_reference, take_reason_reference, take_based_on, take_canonical;
take_fn take_extension, take_timing_event, take_repeat;
take_fn take_clinical_status, take_verification_status;
take_fn take_ingredient, take_ingredients;
take_fn take_deceased, take_link, take_link_other;
take_fn take_first_concept, take_timing_code, take_repeat_times, take_dose, take_days_supply;
take_fn take_focus, take_value_quantity, take_value_integer, take_value_string;
