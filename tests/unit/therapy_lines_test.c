/* What opens a line and what does not: LOT-001 to LOT-017, LOT-022 to LOT-026, LOT-029, LOT-030,
 * LOT-032.  Each rule has a row that fails if the rule were off and one that fails if it were too
 * eager. */
#include "support/therapy/story_case.h"

#define LUNG "@C34.90 2020-01-01; "
#define COLON "@C18.9 2020-01-01; "
#define STOMACH "@C16.9 2020-01-01; "
#define BREAST "@C50.911 2020-01-01; "
#define OVARY "@C56.9 2020-01-01; "
#define MYELOMA "@C90.00 2020-01-01; "
#define LEUKAEMIA "@C92.00 2020-01-01; "
#define PROSTATE "@C61 2020-01-01; "

static const struct story_case rows[] = {
    { "LOT-001 the first orders open line 1", LUNG "carboplatin + pemetrexed 2020-02-03 x3/21",
      NULL, "1 2020-02-03..2020-03-16 carboplatin+pemetrexed FIRST_EXPOSURE\n", "",
      "no NONE line 1" },
    { "LOT-001 without an order there is no line", LUNG, NULL, "", "", "no NONE line 0" },
    { "LOT-002 day 28 is inside the window",
      LUNG "carboplatin 2020-02-03 x3/21; pemetrexed 2020-03-02 x2/21", NULL,
      "1 2020-02-03..2020-03-23 carboplatin+pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-002 day 29 is outside the window",
      LUNG "carboplatin 2020-02-03 x3/21; pemetrexed 2020-03-03 x2/21", NULL,
      "1 2020-02-03..2020-02-24 carboplatin FIRST_EXPOSURE\n"
      "2 2020-03-03..2020-03-24 carboplatin+pemetrexed NEW_AGENT\n",
      NULL, NULL },
    { "LOT-002 progression inside the window opens a line all the same",
      LUNG "carboplatin 2020-02-03; @C34.90 2020-02-17 relapse; docetaxel 2020-02-24", NULL,
      "1 2020-02-03..2020-02-03 carboplatin FIRST_EXPOSURE\n"
      "2 2020-02-24..2020-02-24 docetaxel NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "LOT-003 Merkel cell: a second drug joins while the line has had one cycle",
      "@C4A.9 2020-01-01; pembrolizumab 2020-02-03; carboplatin 2020-03-16", NULL,
      "1 2020-02-03..2020-03-16 carboplatin+pembrolizumab FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-003 after two cycles it opens a line",
      "@C4A.9 2020-01-01; pembrolizumab 2020-02-03 x2/21; carboplatin 2020-03-16", NULL,
      "1 2020-02-03..2020-02-24 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-03-16..2020-03-16 carboplatin NEW_AGENT\n",
      NULL, NULL },
    { "LOT-004 one platinum replaces the other",
      LUNG "cisplatin + pemetrexed 2020-02-03 x2/21; carboplatin + pemetrexed 2020-03-16 x2/21",
      NULL, "1 2020-02-03..2020-04-06 carboplatin+cisplatin+pemetrexed FIRST_EXPOSURE\n", "LOT-004",
      NULL },
    { "LOT-004 only where the table says so: in melanoma it is a new agent",
      "@C43.9 2020-01-01; cisplatin 2020-02-03 x2/21; carboplatin 2020-03-16 x2/21", NULL,
      "1 2020-02-03..2020-02-24 cisplatin FIRST_EXPOSURE\n"
      "2 2020-03-16..2020-04-06 carboplatin NEW_AGENT\n",
      NULL, NULL },
    { "LOT-005 the same drugs after exactly the limit go on",
      LUNG "pembrolizumab 2020-02-03; pembrolizumab 2020-08-01", NULL,
      "1 2020-02-03..2020-08-01 pembrolizumab FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-005 one day more is a new line, LOW",
      LUNG "pembrolizumab 2020-02-03; pembrolizumab 2020-08-02", NULL,
      "1 2020-02-03..2020-02-03 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-08-02..2020-08-02 pembrolizumab GAP\n",
      NULL, "salvage LOW line 2" },
    { "LOT-005 ovarian: from the third line on the limit is 90 days",
      OVARY "carboplatin + paclitaxel 2020-01-06; topotecan 2020-07-01; gemcitabine 2021-01-01; "
            "gemcitabine 2021-04-11",
      NULL,
      "1 2020-01-06..2020-01-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-07-01..2020-07-01 topotecan NEW_AGENT\n"
      "3 2021-01-01..2021-01-01 gemcitabine NEW_AGENT\n"
      "4 2021-04-11..2021-04-11 gemcitabine GAP\n",
      NULL, NULL },
    { "LOT-006 a gap of a listed kinase inhibitor does not count",
      LUNG "osimertinib 2020-02-03; osimertinib 2021-06-01", NULL,
      "1 2020-02-03..2021-06-01 osimertinib FIRST_EXPOSURE\n", "LOT-006", NULL },
    { "LOT-006 of an unlisted one it does", LUNG "lorlatinib 2020-02-03; lorlatinib 2021-06-01",
      NULL,
      "1 2020-02-03..2020-02-03 lorlatinib FIRST_EXPOSURE\n"
      "2 2021-06-01..2021-06-01 lorlatinib GAP\n",
      NULL, NULL },
    { "LOT-007 the same drugs after relapse are a new line before any gap limit",
      OVARY
      "carboplatin 2020-01-06 x3/21; @C56.9 2020-04-20 recurrence; carboplatin 2020-05-04 x2/21",
      NULL,
      "1 2020-01-06..2020-02-17 carboplatin FIRST_EXPOSURE\n"
      "2 2020-05-04..2020-05-25 carboplatin RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "LOT-007 evidence inside a running course does not split it",
      OVARY "carboplatin 2020-01-06 x6/21; @C56.9 2020-03-15 recurrence", NULL,
      "1 2020-01-06..2020-04-20 carboplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-007 myeloma: a resumed regimen stays in its line, relapse or not",
      MYELOMA "lenalidomide 2020-01-06 x4/28; @C90.02 2020-09-01; lenalidomide 2020-10-05 x2/28",
      NULL, "1 2020-01-06..2020-11-02 lenalidomide FIRST_EXPOSURE\n", NULL, "no LOW line 1" },
    { "LOT-008 small cell: platinum again after 90 days is a line although atezolizumab went on",
      "@C34.90 2020-01-01; carboplatin + etoposide + atezolizumab 2020-01-06 x4/21; "
      "atezolizumab 2020-03-30 x8/21; carboplatin + etoposide 2020-09-14 x2/21",
      NULL,
      "1 2020-01-06..2020-08-24 atezolizumab+carboplatin+etoposide FIRST_EXPOSURE\n"
      "2 2020-09-14..2020-10-05 carboplatin+etoposide GAP\n",
      NULL, NULL },
    { "LOT-008 within 90 days it is not",
      "@C34.90 2020-01-01; carboplatin + etoposide + atezolizumab 2020-01-06 x4/21; "
      "atezolizumab 2020-03-30 x3/21; carboplatin + etoposide 2020-06-01",
      NULL, "1 2020-01-06..2020-06-01 atezolizumab+carboplatin+etoposide FIRST_EXPOSURE\n", NULL,
      NULL },
    { "LOT-009 a biologic joins a chemotherapy that goes on",
      LUNG "carboplatin + pemetrexed 2020-02-03 x6/21; bevacizumab 2020-04-06 x3/21", NULL,
      "1 2020-02-03..2020-05-18 bevacizumab+carboplatin+pemetrexed FIRST_EXPOSURE\n", "LOT-009",
      NULL },
    { "LOT-009 it opens a line when the chemotherapy has stopped",
      LUNG "carboplatin + pemetrexed 2020-02-03 x4/21; nivolumab 2020-05-20 x3/14", NULL,
      "1 2020-02-03..2020-04-06 carboplatin+pemetrexed FIRST_EXPOSURE\n"
      "2 2020-05-20..2020-06-17 nivolumab NEW_AGENT\n",
      NULL, "salvage MEDIUM line 2" },
    { "LOT-009 a drug of the same class is a swap, not an addition",
      LUNG "erlotinib 2020-02-03..2020-12-31; osimertinib 2020-11-01..2021-06-01", NULL,
      "1 2020-02-03..2020-10-31 erlotinib FIRST_EXPOSURE\n"
      "2 2020-11-01..2021-06-01 erlotinib+osimertinib NEW_AGENT\n",
      NULL, NULL },
    { "LOT-009 progression forbids the addition",
      LUNG "carboplatin + pemetrexed 2020-02-03 x6/21; @C34.90 2020-04-01 relapse; "
           "bevacizumab 2020-04-06 x3/21",
      NULL,
      "1 2020-02-03..2020-03-16 carboplatin+pemetrexed FIRST_EXPOSURE\n"
      "2 2020-04-06..2020-05-18 bevacizumab+carboplatin+pemetrexed NEW_AGENT_AFTER_RELAPSE\n",
      NULL, NULL },
    { "LOT-009 colorectal: cetuximab up to day 90",
      COLON "fluorouracil + oxaliplatin 2020-01-06 x12/14; cetuximab 2020-04-05 x2/14", NULL,
      "1 2020-01-06..2020-06-08 cetuximab+fluorouracil+oxaliplatin FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-009 colorectal: cetuximab on day 91 is a line",
      COLON "fluorouracil + oxaliplatin 2020-01-06 x12/14; cetuximab 2020-04-06 x2/14", NULL,
      "1 2020-01-06..2020-03-30 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-04-06..2020-06-08 cetuximab+fluorouracil+oxaliplatin NEW_AGENT\n",
      NULL, NULL },
    { "LOT-009 myeloma: a proteasome inhibitor joins within 90 days",
      MYELOMA "lenalidomide 2020-01-06..2020-12-01; bortezomib 2020-03-20 x4/21", NULL,
      "1 2020-01-06..2020-12-01 bortezomib+lenalidomide FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-009 myeloma: a second drug of the class does not",
      MYELOMA "lenalidomide 2020-01-06..2020-03-01; pomalidomide 2020-03-05..2020-09-01", NULL,
      "1 2020-01-06..2020-03-01 lenalidomide FIRST_EXPOSURE\n"
      "2 2020-03-05..2020-09-01 pomalidomide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-010 a lone fluoropyrimidine is completed up to day 60",
      COLON "capecitabine 2020-01-06..2020-06-01; oxaliplatin 2020-03-06 x3/21", NULL,
      "1 2020-01-06..2020-06-01 capecitabine+oxaliplatin FIRST_EXPOSURE\n", "LOT-010", NULL },
    { "LOT-010 on day 61 it is a line; what goes on is carried (LOT-024), its end is not the "
      "line's",
      COLON "capecitabine 2020-01-06..2020-06-01; oxaliplatin 2020-03-07 x3/21", NULL,
      "1 2020-01-06..2020-03-06 capecitabine FIRST_EXPOSURE\n"
      "2 2020-03-07..2020-04-18 capecitabine+oxaliplatin NEW_AGENT\n",
      NULL, "salvage LOW line 2" },
    { "LOT-011 acute leukaemia: consolidation is the same line",
      "@C91.00 2020-01-01; daunorubicin + vincristine + pegaspargase 2020-01-06 x3/7; "
      "cyclophosphamide + cytarabine 2020-03-20 x2/28",
      NULL,
      "1 2020-01-06..2020-04-17 cyclophosphamide+cytarabine+daunorubicin+pegaspargase+vincristine "
      "FIRST_EXPOSURE\n",
      "LOT-011", NULL },
    { "LOT-011 not past the gap limit",
      "@C91.00 2020-01-01; daunorubicin + vincristine 2020-01-06; cyclophosphamide 2020-05-06",
      NULL,
      "1 2020-01-06..2020-01-06 daunorubicin+vincristine FIRST_EXPOSURE\n"
      "2 2020-05-06..2020-05-06 cyclophosphamide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-011 a regimen of salvage only is no phase",
      LEUKAEMIA "daunorubicin + cytarabine 2020-01-06..2020-01-12; "
                "cladribine + cytarabine + mitoxantrone 2020-03-10..2020-03-14",
      NULL,
      "1 2020-01-06..2020-01-12 cytarabine+daunorubicin FIRST_EXPOSURE\n"
      "2 2020-03-10..2020-03-14 cladribine+cytarabine+mitoxantrone NEW_AGENT\n",
      NULL, "salvage HIGH line 2" },
    { "LOT-012 switch maintenance after platinum is the same line",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; pemetrexed 2020-05-04 x4/21", NULL,
      "1 2020-02-03..2020-07-06 carboplatin+paclitaxel+pemetrexed FIRST_EXPOSURE\n", "LOT-012",
      "no NONE line 1 unknown !SAL-008" },
    { "LOT-012 without a platinum it is a new line",
      LUNG "pembrolizumab 2020-02-03 x4/21; pemetrexed 2020-05-04 x4/21", NULL,
      "1 2020-02-03..2020-04-06 pembrolizumab FIRST_EXPOSURE\n"
      "2 2020-05-04..2020-07-06 pemetrexed NEW_AGENT\n",
      NULL, NULL },
    { "LOT-012 later than 90 days it is a new line",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; pemetrexed 2020-07-06 x4/21", NULL,
      "1 2020-02-03..2020-04-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-07-06..2020-09-07 pemetrexed NEW_AGENT\n",
      NULL, NULL },
    { "LOT-012 two drugs at once are no maintenance",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; pemetrexed + docetaxel 2020-05-04 x4/21",
      NULL,
      "1 2020-02-03..2020-04-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-05-04..2020-07-06 docetaxel+pemetrexed NEW_AGENT\n",
      NULL, NULL },
    { "LOT-012 progression forbids maintenance",
      LUNG "carboplatin + paclitaxel 2020-02-03 x4/21; @C34.90 2020-04-20 relapse; "
           "docetaxel 2020-05-04 x4/21",
      NULL,
      "1 2020-02-03..2020-04-06 carboplatin+paclitaxel FIRST_EXPOSURE\n"
      "2 2020-05-04..2020-07-06 docetaxel NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2 relapsed" },
    { "LOT-012 ovarian: a PARP inhibitor after bevacizumab maintenance stays",
      OVARY
      "carboplatin + paclitaxel + bevacizumab 2020-01-06 x6/21; bevacizumab 2020-05-11 x6/21; "
      "olaparib 2020-09-15..2021-09-15",
      NULL, "1 2020-01-06..2021-09-15 bevacizumab+carboplatin+olaparib+paclitaxel FIRST_EXPOSURE\n",
      "LOT-012 LOT-012", NULL },
    { "LOT-012 ovarian: bevacizumab after a PARP inhibitor does not",
      OVARY "carboplatin + paclitaxel 2020-01-06 x6/21; olaparib 2020-06-15..2020-12-15; "
            "bevacizumab 2021-01-05 x6/21",
      NULL,
      "1 2020-01-06..2020-12-15 carboplatin+olaparib+paclitaxel FIRST_EXPOSURE\n"
      "2 2021-01-05..2021-04-20 bevacizumab NEW_AGENT\n",
      NULL, NULL },
    { "LOT-012 myeloma: one agent for two months after a doublet",
      MYELOMA "bortezomib + cyclophosphamide 2020-01-06 x6/21; lenalidomide 2020-06-01..2020-12-01",
      NULL, "1 2020-01-06..2020-12-01 bortezomib+cyclophosphamide+lenalidomide FIRST_EXPOSURE\n",
      "LOT-012", NULL },
    { "LOT-012 myeloma: not when it is given up within two months",
      MYELOMA "bortezomib + cyclophosphamide 2020-01-06 x6/21; lenalidomide 2020-06-01..2020-07-01",
      NULL,
      "1 2020-01-06..2020-04-20 bortezomib+cyclophosphamide FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-07-01 lenalidomide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-012 myeloma: never a drug of an earlier line",
      MYELOMA "lenalidomide 2020-01-06 x4/28; bortezomib + cyclophosphamide 2020-09-01 x4/21; "
              "lenalidomide 2021-02-01..2021-08-01",
      NULL,
      "1 2020-01-06..2020-03-30 lenalidomide FIRST_EXPOSURE\n"
      "2 2020-09-01..2020-11-03 bortezomib+cyclophosphamide NEW_AGENT\n"
      "3 2021-02-01..2021-08-01 lenalidomide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-012 breast: one aromatase inhibitor after the other is still adjuvant",
      BREAST "doxorubicin + cyclophosphamide 2020-02-03 x4/21; tamoxifen 2020-05-04..2022-05-01; "
             "letrozole 2022-05-10..2025-05-01",
      NULL,
      "1 2020-02-03..2025-05-01 cyclophosphamide+doxorubicin+letrozole+tamoxifen FIRST_EXPOSURE\n",
      "LOT-012 LOT-012", NULL },
    { "LOT-014 another drug of the class after toxicity stays",
      "@C43.9 2020-01-01; dabrafenib 2020-02-03..2020-05-01 stopped toxicity; "
      "vemurafenib 2020-05-10..2020-12-01",
      NULL, "1 2020-02-03..2020-12-01 dabrafenib+vemurafenib FIRST_EXPOSURE\n", "LOT-014",
      "no NONE line 1" },
    { "LOT-014 the reason may stand on the new order",
      "@C43.9 2020-01-01; dabrafenib 2020-02-03..2020-05-01; "
      "vemurafenib 2020-05-10..2020-12-01 shortage",
      NULL, "1 2020-02-03..2020-12-01 dabrafenib+vemurafenib FIRST_EXPOSURE\n", "LOT-014", NULL },
    { "LOT-014 without a reason it is a line",
      "@C43.9 2020-01-01; dabrafenib 2020-02-03..2020-05-01; vemurafenib 2020-05-10..2020-12-01",
      NULL,
      "1 2020-02-03..2020-05-01 dabrafenib FIRST_EXPOSURE\n"
      "2 2020-05-10..2020-12-01 vemurafenib NEW_AGENT\n",
      NULL, "salvage MEDIUM line 2" },
    { "LOT-014 another class after toxicity is a line, and no salvage (SAL-010)",
      "@C43.9 2020-01-01; dabrafenib 2020-02-03..2020-05-01 stopped toxicity; "
      "pembrolizumab 2020-05-10..2020-12-01",
      NULL,
      "1 2020-02-03..2020-05-01 dabrafenib FIRST_EXPOSURE\n"
      "2 2020-05-10..2020-12-01 pembrolizumab NEW_AGENT\n",
      NULL, "no NONE line 2" },
    { "LOT-014 myeloma counts any change",
      MYELOMA
      "lenalidomide 2020-01-06..2020-05-01 stopped toxicity; pomalidomide 2020-05-10..2020-12-01",
      NULL,
      "1 2020-01-06..2020-05-01 lenalidomide FIRST_EXPOSURE\n"
      "2 2020-05-10..2020-12-01 pomalidomide NEW_AGENT\n",
      NULL, "salvage" },
    { "LOT-015 one protocol, one line",
      BREAST
      "doxorubicin + cyclophosphamide 2020-02-03 x4/21 plan:A; paclitaxel 2020-05-04 x4/14 plan:A",
      NULL, "1 2020-02-03..2020-06-15 cyclophosphamide+doxorubicin+paclitaxel FIRST_EXPOSURE\n",
      "LOT-015", NULL },
    { "LOT-015 one CarePlan, one line",
      BREAST "doxorubicin 2020-02-03 x4/21 careplan:x; paclitaxel 2020-05-04 x4/14 careplan:x",
      NULL, "1 2020-02-03..2020-06-15 doxorubicin+paclitaxel FIRST_EXPOSURE\n", "LOT-015", NULL },
    { "LOT-015 planned before the first drugs ended",
      BREAST "doxorubicin 2020-02-03 x4/21; paclitaxel 2020-06-01 intent:plan authored:2020-02-01; "
             "paclitaxel 2020-05-01 intent:plan authored:2020-03-01; paclitaxel 2020-05-04 x4/14",
      NULL, "1 2020-02-03..2020-06-15 doxorubicin+paclitaxel FIRST_EXPOSURE\n", "LOT-015", NULL },
    { "LOT-015 two plans are two lines",
      BREAST "doxorubicin 2020-02-03 x4/21 plan:A; paclitaxel 2020-05-04 x4/14 plan:B", NULL,
      "1 2020-02-03..2020-04-06 doxorubicin FIRST_EXPOSURE\n"
      "2 2020-05-04..2020-06-15 paclitaxel NEW_AGENT\n",
      NULL, NULL },
    { "LOT-016 new agents after the window are a line",
      COLON
      "fluorouracil + oxaliplatin 2020-01-06 x6/14; fluorouracil + irinotecan 2020-06-01 x6/14",
      NULL,
      "1 2020-01-06..2020-03-16 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-08-10 fluorouracil+irinotecan NEW_AGENT\n",
      NULL, "salvage MEDIUM line 2" },
    { "LOT-017 EVD-009 evidence recorded three weeks after the start explains it",
      COLON
      "fluorouracil + oxaliplatin 2020-01-06 x6/14; fluorouracil + irinotecan 2020-06-01 x6/14; "
      "@C18.9 2020-06-22 recurrence",
      NULL,
      "1 2020-01-06..2020-03-16 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-08-10 fluorouracil+irinotecan NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "LOT-017 EVD-009 recorded two months later it explains nothing",
      COLON
      "fluorouracil + oxaliplatin 2020-01-06 x6/14; fluorouracil + irinotecan 2020-06-01 x6/14; "
      "@C18.9 2020-08-22 recurrence",
      NULL,
      "1 2020-01-06..2020-03-16 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-06-01..2020-08-10 fluorouracil+irinotecan NEW_AGENT\n",
      NULL, "salvage MEDIUM line 2" },
    { "LOT-022 androgen deprivation neither opens nor names a line",
      PROSTATE "leuprorelin 2020-01-06..2023-01-01; bicalutamide 2020-01-06 x3/30; "
               "abiraterone 2020-06-01..2021-06-01; docetaxel 2021-07-01 x6/21",
      NULL,
      "1 2020-06-01..2021-06-01 abiraterone FIRST_EXPOSURE\n"
      "2 2021-07-01..2021-10-14 docetaxel NEW_AGENT\n",
      NULL, NULL },
    { "LOT-023 dropping a drug opens no line",
      MYELOMA "bortezomib 2020-01-06 x8/21; lenalidomide 2020-01-06..2021-06-01", NULL,
      "1 2020-01-06..2021-06-01 bortezomib+lenalidomide FIRST_EXPOSURE\n", NULL, "no NONE line 1" },
    { "LOT-024 an assumed tail is not carried into the next line",
      COLON "fluorouracil + oxaliplatin 2020-01-06 authored; fluorouracil + oxaliplatin 2020-02-20 "
            "authored; cetuximab + irinotecan 2020-03-10",
      NULL,
      "1 2020-01-06..2020-03-09 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-03-10..2020-03-10 cetuximab+irinotecan NEW_AGENT\n",
      NULL, NULL },
    { "LOT-025 a line ends with its last order, an open one does not end",
      LUNG "osimertinib 2025-09-01..open", NULL, "1 2025-09-01..open osimertinib FIRST_EXPOSURE\n",
      NULL, NULL },
    { "LOT-026 SAL-022 a line shorter than one cycle is counted, with a LOW grade",
      COLON "fluorouracil 2020-01-06; irinotecan 2020-03-16 x6/14", NULL,
      "1 2020-01-06..2020-01-06 fluorouracil FIRST_EXPOSURE\n"
      "2 2020-03-16..2020-05-25 irinotecan NEW_AGENT\n",
      NULL, "salvage LOW line 2" },
    { "LOT-027 what ended long before the diagnosis was for something else",
      "@C83.30 2021-01-01; methotrexate 2015-01-01..2016-01-01; rituximab + cyclophosphamide + "
      "doxorubicin + vincristine 2021-01-11 x6/21",
      NULL,
      "1 2021-01-11..2021-04-26 cyclophosphamide+doxorubicin+rituximab+vincristine "
      "FIRST_EXPOSURE\n",
      NULL, "no NONE line 1" },
    { "LOT-027 orders of the month before the diagnosis count",
      "@C83.30 2021-01-31; rituximab + cyclophosphamide 2021-01-04 x2/21", NULL,
      "1 2021-01-04..2021-01-25 cyclophosphamide+rituximab FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-029 SAL-020 a trial agent may open a line, LOW",
      LUNG "carboplatin + pemetrexed 2020-02-03 x4/21; study drug XB-77 2020-09-01 x4/21", NULL,
      NULL, NULL, "salvage LOW line 2" },
    { "LOT-029 EXP-021 an ordinary unmapped drug does not",
      LUNG "carboplatin + pemetrexed 2020-02-03 x4/21; metforminol 2020-09-01 x4/21", NULL,
      "1 2020-02-03..2020-04-06 carboplatin+pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-030 supportive drugs make no line",
      LUNG
      "carboplatin + pemetrexed 2020-02-03 x2/21; ondansetron + pegfilgrastim + zoledronic acid + "
      "dexamethasone + calcium folinate 2020-06-01 x4/21",
      NULL, "1 2020-02-03..2020-02-24 carboplatin+pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
    { "LOT-032 prostate: the same regimen again is the same line",
      PROSTATE "docetaxel 2020-01-06 x6/21; docetaxel 2022-01-06 x6/21", NULL,
      "1 2020-01-06..2022-04-21 docetaxel FIRST_EXPOSURE\n", NULL, NULL },
    { "stomach: its own gap of 90 days",
      STOMACH "fluorouracil + oxaliplatin 2020-01-06; fluorouracil + oxaliplatin 2020-04-06", NULL,
      "1 2020-01-06..2020-01-06 fluorouracil+oxaliplatin FIRST_EXPOSURE\n"
      "2 2020-04-06..2020-04-06 fluorouracil+oxaliplatin GAP\n",
      NULL, NULL },
    { "drugs ordered on one day are one batch, whatever their order in the record",
      LUNG "pemetrexed 2020-02-03; carboplatin 2020-02-03; bevacizumab 2020-02-03", NULL,
      "1 2020-02-03..2020-02-03 bevacizumab+carboplatin+pemetrexed FIRST_EXPOSURE\n", NULL, NULL },
};

int main(void) { return story_run("therapy_lines", rows, COUNT_OF(rows)); }
