/* Transplants and cell therapies: LOT-013, LOT-018 to LOT-021, EXP-029. */
#include "support/therapy/story_case.h"

#define LYMPHOMA "@C83.30 2020-01-01; "
#define RCHOP "rituximab + cyclophosphamide + doxorubicin + vincristine 2020-01-06 x6/21; "
#define LINE1 \
    "1 2020-01-06..2020-04-20 cyclophosphamide+doxorubicin+rituximab+vincristine FIRST_EXPOSURE\n"
#define MYELOMA "@C90.00 2020-01-01; "
#define VTD "bortezomib + thalidomide 2020-01-06 x4/21; "

static const struct story_case rows[] = {
    { "LOT-018 lymphodepletion opens the line of the cell therapy",
      LYMPHOMA RCHOP
      "cyclophosphamide + fludarabine 2020-12-20 x3/1; axicabtagene ciloleucel 2020-12-26",
      NULL,
      LINE1 "2 2020-12-20..2020-12-26 axicabtagene ciloleucel+cyclophosphamide+fludarabine "
            "CELL_THERAPY\n",
      NULL, "salvage HIGH line 2 unknown SAL-001 SAL-004 SAL-005 SAL-006" },
    { "LOT-018 bendamustine is lymphodepletion too",
      LYMPHOMA RCHOP "bendamustine 2020-12-20 x2/1; lisocabtagene maraleucel 2020-12-26", NULL,
      LINE1 "2 2020-12-20..2020-12-26 bendamustine+lisocabtagene maraleucel CELL_THERAPY\n", NULL,
      "salvage HIGH line 2" },
    { "LOT-018 fludarabine long before is a line of its own",
      LYMPHOMA RCHOP
      "cyclophosphamide + fludarabine 2020-10-20; axicabtagene ciloleucel 2020-12-26",
      NULL,
      LINE1 "2 2020-10-20..2020-10-20 cyclophosphamide+fludarabine NEW_AGENT\n"
            "3 2020-12-26..2020-12-26 axicabtagene ciloleucel CELL_THERAPY\n",
      NULL, "salvage HIGH line 3" },
    { "LOT-018 a split dose is one infusion",
      MYELOMA VTD
      "cyclophosphamide + fludarabine 2021-01-02; idecabtagene vicleucel 2021-01-07 x2/7",
      NULL,
      "1 2020-01-06..2020-03-09 bortezomib+thalidomide FIRST_EXPOSURE\n"
      "2 2021-01-02..2021-01-14 cyclophosphamide+fludarabine+idecabtagene vicleucel CELL_THERAPY\n",
      NULL, NULL },
    { "EXP-029 a Procedure that gave the cells is the cell therapy, without any order of it",
      LYMPHOMA RCHOP "cyclophosphamide + fludarabine 2020-12-20 x3/1; !axi-cel 2020-12-26", NULL,
      LINE1 "2 2020-12-20..2020-12-26 axicabtagene ciloleucel+cyclophosphamide+fludarabine "
            "CELL_THERAPY\n",
      NULL, "salvage HIGH line 2 unknown SAL-001 SAL-004 SAL-005 SAL-006" },
    { "EXP-029 its code need not name the product",
      LYMPHOMA RCHOP "cyclophosphamide + fludarabine 2020-12-20 x3/1; !cart 2020-12-26", NULL,
      LINE1 "2 2020-12-20..2020-12-26 cyclophosphamide+fludarabine+unspecified cell therapy "
            "CELL_THERAPY\n",
      NULL, NULL },
    { "EXP-029 the product is the one that was ordered weeks before",
      LYMPHOMA RCHOP "axicabtagene ciloleucel 2020-11-20; cyclophosphamide + fludarabine "
                     "2020-12-20 x3/1; !cart 2020-12-26",
      NULL,
      LINE1 "2 2020-12-20..2020-12-26 axicabtagene ciloleucel+cyclophosphamide+fludarabine "
            "CELL_THERAPY\n",
      NULL, NULL },
    { "EXP-029 a code for the infusion beside one for the product is one infusion",
      LYMPHOMA RCHOP "!axi-cel 2020-12-26; !cart 2020-12-26", NULL,
      LINE1 "2 2020-12-26..2020-12-26 axicabtagene ciloleucel CELL_THERAPY\n", NULL, NULL },
    { "EXP-029 an order of half a year before is another one",
      LYMPHOMA RCHOP "axicabtagene ciloleucel 2020-06-20; !cart 2020-12-26", NULL,
      LINE1 "2 2020-06-20..2020-06-20 axicabtagene ciloleucel CELL_THERAPY\n"
            "3 2020-12-26..2020-12-26 unspecified cell therapy CELL_THERAPY\n",
      NULL, NULL },
    { "EXP-029 one that was not done gave nothing",
      LYMPHOMA RCHOP "!cart 2020-12-26 not-done; !axi-cel 2020-12-27 error", NULL, LINE1, NULL,
      NULL },
    { "LOT-013 a transplant that was not done is followed by no maintenance",
      MYELOMA VTD "!sct 2020-05-03 not-done; lenalidomide 2021-02-01..2021-08-01", NULL,
      "1 2020-01-06..2020-03-09 bortezomib+thalidomide FIRST_EXPOSURE\n"
      "2 2021-02-01..2021-08-01 lenalidomide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-019 bridging after apheresis belongs to the cell therapy",
      LYMPHOMA RCHOP
      "!apheresis 2020-12-01; polatuzumab vedotin + bendamustine 2020-12-03; "
      "cyclophosphamide + fludarabine 2020-12-28; axicabtagene ciloleucel 2021-01-02",
      NULL,
      LINE1
      "2 2020-12-03..2021-01-02 axicabtagene ciloleucel+bendamustine+cyclophosphamide+fludarabine+"
      "polatuzumab vedotin CELL_THERAPY\n",
      "LOT-019", NULL },
    { "LOT-019 without apheresis it is a line",
      LYMPHOMA RCHOP
      "polatuzumab vedotin + bendamustine 2020-12-03; "
      "cyclophosphamide + fludarabine 2020-12-28; axicabtagene ciloleucel 2021-01-02",
      NULL,
      LINE1 "2 2020-12-03..2020-12-03 bendamustine+polatuzumab vedotin NEW_AGENT\n"
            "3 2020-12-28..2021-01-02 axicabtagene ciloleucel+cyclophosphamide+fludarabine "
            "CELL_THERAPY\n",
      NULL, NULL },
    { "LOT-019 the salvage drugs once more are their own line's",
      LYMPHOMA RCHOP
      "@C83.30 2020-09-20 relapse; carboplatin + etoposide + ifosfamide 2020-10-05 x2/21; "
      "!apheresis 2020-11-10; carboplatin + etoposide + ifosfamide 2020-11-16; "
      "cyclophosphamide + fludarabine 2020-12-28; axicabtagene ciloleucel 2021-01-02",
      NULL,
      LINE1 "2 2020-10-05..2020-11-16 carboplatin+etoposide+ifosfamide NEW_AGENT_AFTER_RELAPSE\n"
            "3 2020-12-28..2021-01-02 axicabtagene ciloleucel+cyclophosphamide+fludarabine "
            "CELL_THERAPY\n",
      NULL, NULL },
    { "LOT-018 apheresis without infusion is no line", LYMPHOMA RCHOP "!apheresis 2020-12-01", NULL,
      LINE1, NULL, NULL },
    { "LOT-020 conditioning belongs to the line that the transplant follows",
      LYMPHOMA RCHOP
      "@C83.30 2020-09-20 relapse; carboplatin + etoposide + ifosfamide 2020-10-05 x3/21; "
      "carmustine + cytarabine + etoposide + melphalan 2020-12-28; !sct 2021-01-04",
      NULL,
      LINE1
      "2 2020-10-05..2021-01-04 carboplatin+carmustine+cytarabine+etoposide+ifosfamide+melphalan "
      "NEW_AGENT_AFTER_RELAPSE\n",
      "LOT-020", "salvage HIGH line 2 relapsed" },
    { "LOT-020 without a Procedure the drugs of BEAM tell",
      LYMPHOMA RCHOP
      "@C83.30 2020-09-20 relapse; carboplatin + etoposide + ifosfamide 2020-10-05 x3/21; "
      "carmustine 2020-12-28; cytarabine + etoposide 2020-12-29; melphalan 2020-12-31",
      NULL,
      LINE1
      "2 2020-10-05..2020-12-31 carboplatin+carmustine+cytarabine+etoposide+ifosfamide+melphalan "
      "NEW_AGENT_AFTER_RELAPSE\n",
      "LOT-020 LOT-020 LOT-020", NULL },
    { "LOT-020 drugs that come again as cycles are none", MYELOMA VTD "melphalan 2020-09-01 x4/28",
      NULL,
      "1 2020-01-06..2020-03-09 bortezomib+thalidomide FIRST_EXPOSURE\n"
      "2 2020-09-01..2020-11-24 melphalan NEW_AGENT\n",
      NULL, NULL },
    { "LOT-020 three weeks before a transplant is too early",
      LYMPHOMA RCHOP "ifosfamide + etoposide 2020-12-14; !sct 2021-01-04", NULL,
      LINE1 "2 2020-12-14..2021-01-04 etoposide+ifosfamide NEW_AGENT\n", NULL, NULL },
    { "LOT-020 relapse before conditioning opens a line",
      LYMPHOMA RCHOP
      "@C83.30 2020-09-20 relapse; carmustine + thiotepa 2020-12-28; !sct 2021-01-04",
      NULL, LINE1 "2 2020-12-28..2021-01-04 carmustine+thiotepa NEW_AGENT_AFTER_RELAPSE\n", NULL,
      NULL },
    { "LOT-020 a transplant in first remission is line 1",
      "@C92.00 2021-01-01; cytarabine + daunorubicin 2021-01-04..2021-01-10; @C92.01 2021-02-10; "
      "cytarabine 2021-02-15 x2/28; busulfan + fludarabine 2021-05-01 x4/1; !allo 2021-05-07",
      NULL,
      "1 2021-01-04..2021-05-07 busulfan+cytarabine+daunorubicin+fludarabine FIRST_EXPOSURE\n",
      NULL, "no NONE line 1 in-remission" },
    { "LOT-013 myeloma: one agent within a year of the transplant is maintenance",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20; pomalidomide 2021-03-01..2021-12-01",
      NULL,
      "1 2020-01-06..2021-12-01 bortezomib+melphalan+pomalidomide+thalidomide FIRST_EXPOSURE\n",
      "LOT-020 LOT-013", "no NONE line 1 unknown !SAL-008" },
    { "LOT-013 after more than a year it is a line",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20; pomalidomide 2021-06-01..2021-12-01",
      NULL,
      "1 2020-01-06..2020-05-20 bortezomib+melphalan+thalidomide FIRST_EXPOSURE\n"
      "2 2021-06-01..2021-12-01 pomalidomide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-013 two agents are a line",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20; pomalidomide + daratumumab "
                  "2020-11-01..2021-12-01",
      NULL,
      "1 2020-01-06..2020-05-20 bortezomib+melphalan+thalidomide FIRST_EXPOSURE\n"
      "2 2020-11-01..2021-12-01 daratumumab+pomalidomide NEW_AGENT\n",
      NULL, NULL },
    { "LOT-013 with relapse it is a line",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20; @C90.02 2020-10-20; pomalidomide "
                  "2020-11-01..2021-12-01",
      NULL,
      "1 2020-01-06..2020-05-20 bortezomib+melphalan+thalidomide FIRST_EXPOSURE\n"
      "2 2020-11-01..2021-12-01 pomalidomide NEW_AGENT_AFTER_RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "LOT-013 Hodgkin: brentuximab vedotin after the transplant",
      "@C81.90 2019-01-01; doxorubicin + bleomycin + vinblastine + dacarbazine 2019-01-07 x6/14; "
      "@C81.90 2020-02-15 relapse; ifosfamide + carboplatin + etoposide 2020-03-01 x2/21; "
      "carmustine + cytarabine + etoposide + melphalan 2020-05-01; !sct 2020-05-08; "
      "brentuximab vedotin 2020-06-20 x4/21",
      NULL,
      "1 2019-01-07..2019-03-18 bleomycin+dacarbazine+doxorubicin+vinblastine FIRST_EXPOSURE\n"
      "2 2020-03-01..2020-08-22 brentuximab vedotin+carboplatin+carmustine+cytarabine+etoposide+"
      "ifosfamide+melphalan NEW_AGENT_AFTER_RELAPSE\n",
      "LOT-020 LOT-013", "salvage HIGH line 2 relapsed" },
    { "LOT-007 the first therapy after a transplant and a relapse is a line, known drug or not",
      MYELOMA "bortezomib + lenalidomide 2020-01-06 x4/21; melphalan 2020-05-18; !sct 2020-05-20; "
              "@C90.02 2020-10-20; lenalidomide 2020-11-01..2021-12-01",
      NULL,
      "1 2020-01-06..2020-05-20 bortezomib+lenalidomide+melphalan FIRST_EXPOSURE\n"
      "2 2020-11-01..2021-12-01 lenalidomide RELAPSE\n",
      NULL, "salvage HIGH line 2" },
    { "LOT-012 without relapse the same drug is maintenance",
      MYELOMA "bortezomib + lenalidomide 2020-01-06 x4/21; melphalan 2020-05-18; !sct 2020-05-20; "
              "lenalidomide 2020-09-01..2021-12-01",
      NULL, "1 2020-01-06..2021-12-01 bortezomib+lenalidomide+melphalan FIRST_EXPOSURE\n",
      "LOT-020 LOT-012", "no NONE line 1 unknown !SAL-008" },
    { "LOT-021 myeloma: a second transplant is a line",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20; melphalan 2022-05-18; !sct 2022-05-20",
      NULL,
      "1 2020-01-06..2020-05-20 bortezomib+melphalan+thalidomide FIRST_EXPOSURE\n"
      "2 2022-05-18..2022-05-20 melphalan SECOND_TRANSPLANT\n",
      NULL, NULL },
    { "LOT-021 within 180 days it is the same transplant",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20; melphalan 2020-10-18; !sct 2020-10-20",
      NULL, "1 2020-01-06..2020-10-20 bortezomib+melphalan+thalidomide FIRST_EXPOSURE\n", NULL,
      NULL },
    { "LOT-021 a planned tandem is one line",
      MYELOMA VTD "melphalan 2020-05-18; !sct 2020-05-20 plan:T; melphalan 2021-01-18; "
                  "!sct 2021-01-20 plan:T",
      NULL, "1 2020-01-06..2021-01-20 bortezomib+melphalan+thalidomide FIRST_EXPOSURE\n", NULL,
      NULL },
};

int main(void) { return story_run("therapy_transplant", rows, COUNT_OF(rows)); }
