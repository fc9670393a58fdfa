/* What Conditions, Observations and stopped orders say: EVD-001 to EVD-014.  The story is always a first regimen
 * and a second one half a year later; the evidence decides how the second line is opened and
 * graded. */
#include "support/therapy/story_case.h"

#define LYMPHOMA "@C83.30 2020-01-01; "
#define FIRST "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-01-06 x6/21; "
#define SECOND "gemcitabine + rituximab 2020-10-05 x3/21"
#define LINE1 \
    "1 2020-01-06..2020-04-20 cyclophosphamide+doxorubicin+rituximab+vincristine FIRST_EXPOSURE\n"
#define PLAIN LINE1 "2 2020-10-05..2020-11-16 gemcitabine+rituximab NEW_AGENT\n"
#define RELAPSED LINE1 "2 2020-10-05..2020-11-16 gemcitabine+rituximab NEW_AGENT_AFTER_RELAPSE\n"

static const struct story_case rows[] = {
    { "without evidence a switch is MEDIUM", LYMPHOMA FIRST SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2 unknown SAL-001 SAL-004" },
    { "EVD-001 SAL-003 the order was stopped for progression",
      LYMPHOMA "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-01-06 x5/21; "
               "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-04-20 stopped "
               "progression; " SECOND,
      NULL, RELAPSED, NULL, "salvage HIGH line 2 progressed SAL-001 SAL-003" },
    { "EVD-001 stopped for toxicity is no progression (SAL-010 vetoes)",
      LYMPHOMA "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-01-06 x5/21; "
               "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-04-20 stopped "
               "toxicity; " SECOND,
      NULL, PLAIN, NULL, "no NONE line 2" },
    { "EVD-001 a running order that names progression was made because of it",
      LYMPHOMA FIRST "gemcitabine + rituximab 2020-10-05..2020-11-16 active progression", NULL,
      RELAPSED, NULL, "salvage HIGH line 2" },
    { "EVD-002 clinical status relapse", LYMPHOMA FIRST "@C83.30 2020-09-20 relapse; " SECOND, NULL,
      RELAPSED, NULL, "salvage HIGH line 2 relapsed SAL-001 SAL-002" },
    { "EVD-002 clinical status recurrence", LYMPHOMA FIRST "@C83.30 2020-09-20 recurrence; " SECOND,
      NULL, RELAPSED, NULL, "salvage HIGH line 2 relapsed" },
    { "EVD-002 of another cancer it says nothing",
      LYMPHOMA "@C61 2018-01-01; " FIRST "@C61 2020-09-20 recurrence; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2" },
    { "EVD-003 the relapse code of leukaemia",
      "@C92.00 2020-01-01; cytarabine + daunorubicin 2020-01-06..2020-01-12; @C92.02 2020-09-20; "
      "gilteritinib 2020-10-05..2021-01-01",
      NULL,
      "1 2020-01-06..2020-01-12 cytarabine+daunorubicin FIRST_EXPOSURE\n"
      "2 2020-10-05..2021-01-01 gilteritinib NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2 relapsed" },
    { "EVD-004 SAL-009 remission after line 1 and no relapse vetoes",
      LYMPHOMA FIRST "@C83.30 2020-06-01 remission; " SECOND, NULL, PLAIN, NULL,
      "no NONE line 2 in-remission" },
    { "EVD-004 relapse after the remission does not",
      LYMPHOMA FIRST "@C83.30 2020-06-01 remission; @C83.30 2020-09-20 relapse; " SECOND, NULL,
      RELAPSED, NULL, "salvage HIGH line 2 relapsed" },
    { "EVD-005 an active code after remission means relapse where codes cannot say it, at MEDIUM",
      LYMPHOMA FIRST "@C83.30 2020-06-01 remission; @C83.30 2020-09-20; " SECOND, NULL, RELAPSED,
      NULL, "salvage MEDIUM line 2 relapsed" },
    { "EVD-005 leukaemia has codes for it: nothing is inferred",
      "@C92.00 2020-01-01; cytarabine + daunorubicin 2020-01-06..2020-01-12; @C92.01 2020-02-20; "
      "@C92.00 2020-03-01; cytarabine + midostaurin 2020-03-09 x3/28",
      NULL, "1 2020-01-06..2020-05-04 cytarabine+daunorubicin+midostaurin FIRST_EXPOSURE\n", NULL,
      "no NONE line 1 in-remission" },
    { "EVD-006 a new metastasis code is a candidate: it opens nothing and grades nothing",
      "@C18.9 2020-01-01; fluorouracil + oxaliplatin 2020-01-06 x6/14; @C78.7 2020-05-20; "
      "fluorouracil + irinotecan 2020-06-01 x6/14",
      NULL,
      "1 2020-01-06..2020-03-16 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-08-10 fluorouracil+irinotecan NEW_AGENT\n",
      NULL, "salvage MEDIUM line 2" },
    { "EVD-006 stated as recurrence it is evidence (EVD-002)",
      "@C18.9 2020-01-01; fluorouracil + oxaliplatin 2020-01-06 x6/14; @C78.7 2020-05-20 "
      "recurrence; "
      "fluorouracil + irinotecan 2020-06-01 x6/14",
      NULL,
      "1 2020-01-06..2020-03-16 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-08-10 fluorouracil+irinotecan NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "EVD-007 a refuted relapse is none",
      LYMPHOMA FIRST "@C83.30 2020-09-20 relapse refuted; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2" },
    { "EVD-007 nor one entered in error",
      LYMPHOMA FIRST "@C83.30 2020-09-20 relapse error; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2" },
    { "EVD-007 a refuted cancer is no cancer", "@C83.30 2020-01-01 refuted; " FIRST, NULL, "", NULL,
      NULL },
    { "EVD-008 without onset the day of recording counts",
      LYMPHOMA FIRST "@C83.30 relapse recorded:2020-09-20; " SECOND, NULL, RELAPSED, NULL,
      "salvage HIGH line 2" },
    { "EVD-008 the onset of the disease is not the day of its relapse",
      "@C83.30 2020-01-01 relapse recorded:2020-09-20; " FIRST SECOND, NULL, RELAPSED, NULL,
      "salvage HIGH line 2 relapsed SAL-001 SAL-002" },
    { "EVD-010 words of the Condition's text",
      LYMPHOMA FIRST "@C83.30 2020-09-20 text:refractory_lymphoma; " SECOND, NULL, RELAPSED, NULL,
      "salvage HIGH line 2 refractory" },
    { "EVD-010 not when the text denies them",
      LYMPHOMA FIRST "@C83.30 2020-09-20 text:lymphoma_without_relapse; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2" },
    { "EVD-011 prostate: two lines after castration resistance are salvage",
      "@C61 2019-01-01; @Z19.2 2020-01-01; abiraterone 2020-02-01..2020-12-01; "
      "docetaxel 2021-01-01 x6/21",
      NULL, NULL, NULL, "salvage MEDIUM line 2" },
    { "EVD-011 one before it is not counted",
      "@C61 2019-01-01; @Z19.2 2020-12-15; abiraterone 2020-02-01..2020-12-01; "
      "docetaxel 2021-01-01 x6/21",
      NULL, NULL, NULL, "no NONE line 2" },
    { "EVD-011 without it there is no salvage",
      "@C61 2019-01-01; abiraterone 2020-02-01..2020-12-01; docetaxel 2021-01-01 x6/21", NULL, NULL,
      NULL, "no NONE line 2" },
    { "EVD-012 a disease status of worsened is progression",
      LYMPHOMA FIRST "?worsened 2020-09-20; " SECOND, NULL, RELAPSED, NULL,
      "salvage HIGH line 2 progressed SAL-001 SAL-002" },
    { "EVD-012 stable is none, and SAL-024 says so", LYMPHOMA FIRST "?stable 2020-09-20; " SECOND,
      NULL, PLAIN, NULL, "salvage LOW line 2 unknown SAL-001 SAL-004 SAL-024" },
    { "SAL-024 nor is a response", LYMPHOMA FIRST "?improved 2020-09-20; " SECOND, NULL, PLAIN,
      NULL, "salvage LOW line 2 unknown SAL-001 SAL-004 SAL-024" },
    { "SAL-024 what was stable long before says nothing about the change",
      LYMPHOMA FIRST "?stable 2020-06-20; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2 unknown SAL-001 SAL-004" },
    { "SAL-024 progression recorded since speaks louder",
      LYMPHOMA FIRST "?stable 2020-09-10; ?worsened 2020-09-20; " SECOND, NULL, RELAPSED, NULL,
      "salvage HIGH line 2 progressed" },
    { "EVD-012 undetermined says nothing", LYMPHOMA FIRST "?undetermined 2020-09-20; " SECOND, NULL,
      PLAIN, NULL, "salvage MEDIUM line 2 unknown SAL-001 SAL-004" },
    { "EVD-012 complete remission is remission (SAL-009)",
      "@C83.30 2020-01-01; " FIRST "?complete_remission 2020-06-01; " SECOND, NULL, PLAIN, NULL,
      "no NONE line 2 in-remission" },
    { "EVD-012 one that was cancelled or is preliminary says nothing",
      LYMPHOMA FIRST "?worsened 2020-09-20 cancelled; ?worsened 2020-09-21 active; " SECOND, NULL,
      PLAIN, NULL, "salvage MEDIUM line 2" },
    { "EVD-012 of two cancers the one in focus is meant",
      LYMPHOMA "@C61 2018-01-01; " FIRST "?worsened 2020-09-20 focus:c1; " SECOND, NULL, RELAPSED,
      NULL, "salvage HIGH line 2" },
    { "EVD-012 the other one is not",
      LYMPHOMA "@C61 2018-01-01; " FIRST "?worsened 2020-09-20 focus:c2; " SECOND, NULL, PLAIN,
      NULL, "salvage MEDIUM line 2" },
    { "EVD-012 a focus that was entered in error is no focus: the only cancer is meant",
      LYMPHOMA "@C61 2018-01-01 error; " FIRST "?worsened 2020-09-20 focus:c2; " SECOND, NULL,
      RELAPSED, NULL, "salvage HIGH line 2" },
    { "EVD-012 without a focus nobody can tell",
      LYMPHOMA "@C61 2018-01-01; " FIRST "?worsened 2020-09-20; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2" },
    { "EVD-013 a relapse dated to a year is dated by its recording within it",
      LYMPHOMA FIRST "@C83.30 2020 relapse recorded:2020-09-20; " SECOND, NULL, RELAPSED, NULL,
      "salvage HIGH line 2 relapsed SAL-001 SAL-002" },
    { "EVD-013 SAL-012 without one its first day stands for it, at MEDIUM",
      LYMPHOMA FIRST "@C83.30 2020-09 relapse; " SECOND, NULL, RELAPSED, NULL,
      "salvage MEDIUM line 2 relapsed SAL-001 SAL-002" },
    { "EVD-013 SAL-015 a line that only such evidence makes is LOW",
      LYMPHOMA FIRST "@C83.30 2020-08 relapse; "
                     "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-09-07 x3/21",
      NULL,
      LINE1 "2 2020-09-07..2020-10-19 cyclophosphamide+doxorubicin+rituximab+vincristine RELAPSE\n",
      NULL, "salvage LOW line 2 relapsed SAL-001 SAL-002 SAL-015" },
    { "EVD-014 an administration stopped for progression is evidence, though its order is not",
      LYMPHOMA FIRST "given rituximab 2020-04-20 based:m21 stopped progression; " SECOND, NULL,
      RELAPSED, NULL, "salvage HIGH line 2 progressed SAL-001 SAL-003" },
    { "EVD-014 one not done because of progression too",
      LYMPHOMA FIRST "given rituximab 2020-05-11 not-done progression; " SECOND, NULL, RELAPSED,
      NULL, "salvage HIGH line 2 progressed SAL-001 SAL-003" },
    { "EVD-014 not done because of toxicity is none",
      LYMPHOMA FIRST "given rituximab 2020-05-11 not-done toxicity; " SECOND, NULL, PLAIN, NULL,
      "salvage MEDIUM line 2" },
};

int main(void) { return story_run("therapy_evidence", rows, COUNT_OF(rows)); }
